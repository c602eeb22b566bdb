"""What a connection of the uvicorn engine may take, and the requests that it has read."""

from __future__ import annotations

from dataclasses import dataclass

from container.serving.asgi.exchange import Exchange
from container.serving.responder import Reply


@dataclass(frozen=True)
class Limits:
    """What a connection may take. Seconds: ``idle`` between two requests, ``headers`` and ``body`` from the first byte to the last,
    ``stuck`` while a caller takes nothing of his answer, ``linger`` for what he still sends after an answer that ended the connection.
    ``head_bytes``: of the headers; twice as many may come after them without anything of the body."""

    idle: float = 65  # longer than the platform's own timeout for a request, so that we never hang up first
    headers: float = 10
    body: float = 60
    stuck: float = 30
    linger: float = 5
    head_bytes: int = 8192


class Asked:
    """A request whose headers are there. ``held``: bytes of its body that the application counts; ``reply``: what is known to be answered
    before the body is there; ``whole``: the body is; ``over``: it was answered, or never will be."""

    def __init__(self, exchange: Exchange, keep_alive: bool, is_head: bool, awaited: bool) -> None:
        self.exchange, self.keep_alive, self.is_head = exchange, keep_alive, is_head
        self.awaited = awaited  # the caller sends the body when he is told to
        self.parts: list[bytes] = []
        self.held = 0
        self.reply: Reply | None = None
        self.whole = self.over = False

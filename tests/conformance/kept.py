"""Servers that several tests share: started when first asked for, and anew when a test before has made one ill."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any

from tests.conformance.server import Server


class Kept(AbstractContextManager["Kept"]):
    """``start``: as the fixture ``serving``, with ``how`` as its arguments."""

    def __init__(self, start: Callable[..., AbstractContextManager[Server]], *how: Any, **more: Any) -> None:
        self._start = lambda: start(*how, **more)
        self._stack = ExitStack()
        self._server: Server | None = None

    def server(self) -> Server:
        if self._server is None or self._server.run.ended or self._server.ping() != 200:
            self._stack.close()
            self._server = self._stack.enter_context(self._start())
        return self._server

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

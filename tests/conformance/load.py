"""Many callers at once, for what a server has to keep under load."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from tests.conformance.http_client import Answer
from tests.conformance.server import Server
from tests.conformance.subject_folder import Body

Of = TypeVar("Of")
Given = TypeVar("Given")


def at_once(call: Callable[[Given], Of], given: Sequence[Given], callers: int = 8) -> list[Of]:
    """Calls ``call`` with each of ``given`` from so many threads; the results have their order."""
    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(call, given))


@contextmanager
def under_load(server: Server, body: Body, callers: int) -> Iterator[list[Answer | OSError]]:
    """Sends ``body`` again and again from so many callers; the list has what they got when the block is over, and a block of it later."""
    content, headers = body.content, {"Content-Type": body.content_type}
    got: list[Answer | OSError] = []
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            try:
                got.append(server.ask("POST", "/invocations", content, headers, timeout=120))
            except OSError as error:
                got.append(error)
                time.sleep(0.01)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.3)  # until each has sent its first body
        yield got
    finally:
        over.set()
        for thread in threads:
            thread.join()

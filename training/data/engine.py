"""Who does the pieces of the work: this process, or a Dask cluster. The pieces and their results are the same, whoever does them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Does pieces of work. ``name``: "pandas" or "dask". ``host``: where this process runs, "" if there is no other."""

    name: str
    host: str

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], where: Callable[[Item], str | None] | None = None
    ) -> Iterator[Result]:
        """Yields the result for each item, in the order of the items, with only a few items and results in memory at a time.

        ``where``: the host that has to do an item because only it has the file; None: any host may. The function and the items
        must be importable on, and sendable to, another process. What the function raises is raised here.
        """
        ...

    def on_each_host(self, function: Callable[[], Result]) -> dict[str, Result]:
        """Calls the function once on every host and returns the results by host."""
        ...


class LocalEngine:
    """This process, with threads: reading and parsing let go of the interpreter, so two threads are faster than one."""

    name = "pandas"
    host = ""

    def __init__(self, threads: int = 1) -> None:
        self.threads = max(1, threads)

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], where: Callable[[Item], str | None] | None = None
    ) -> Iterator[Result]:
        """Yields the results in order; at most ``threads`` + 1 items are under way or waiting to be taken."""
        if self.threads == 1:
            yield from map(function, items)
            return
        with ThreadPoolExecutor(self.threads, thread_name_prefix="read") as pool:
            waiting: deque = deque()
            try:
                for item in items:
                    waiting.append(pool.submit(function, item))
                    if len(waiting) > self.threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def on_each_host(self, function: Callable[[], Result]) -> dict[str, Result]:
        """Calls the function here."""
        return {self.host: function()}

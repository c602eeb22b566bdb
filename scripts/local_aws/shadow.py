"""A shadow variant: it gets copies of the requests, and what it answers is logged and goes nowhere."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from scripts.local_aws.asking import Answer, Serving
from scripts.local_aws.errors import ApiError
from scripts.local_aws.logs import LogStream

AT_ONCE = 4
MOST_WAITING = 100  # copies; further ones are left out, so that a slow shadow takes up no memory
Asked = tuple[Answer, float]  # with the milliseconds that it took


class Shadow:
    """``share``: of the requests, 0 to 1. ``log`` gets a line for each answer: statuses, times, and whether bodies are equal."""

    def __init__(self, name: str, serving: Serving, share: float, log: LogStream) -> None:
        self._name, self._serving, self._share, self._log = name, serving, share, log
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"shadow {name}")
        self._waiting = 0
        self._lock = threading.Lock()

    def copy(self, body: bytes, headers: Mapping[str, str]) -> Future[Asked] | None:
        """Sends a copy of a request without waiting for it. None: this one is not copied."""
        if random.random() >= self._share:
            return None
        with self._lock:
            if self._waiting >= MOST_WAITING:
                return None
            try:
                future = self._pool.submit(self._ask, body, headers)
            except RuntimeError:  # closed: its endpoint is ending
                return None
            self._waiting += 1
        future.add_done_callback(self._done)
        return future

    def compare(self, copied: Future[Asked], answer: Answer, took: float, then: Callable[[Answer], None]) -> None:
        """Logs the shadow's answer beside that of production, once it is there, and hands it to ``then``."""

        def log(future: Future[Asked]) -> None:
            if future.cancelled() or future.exception():
                return
            own, own_took = future.result()
            told = {
                "shadow": self._name,
                "status": own.status,
                "milliseconds": round(own_took, 1),
                "production_status": answer.status,
                "production_milliseconds": round(took, 1),
                "same_body": own.body == answer.body,
            }
            self._log.write(json.dumps(told))
            then(own)

        # In the pool: a callback of a copy that is done already would be run by the thread of the request, which is to answer.
        try:
            self._pool.submit(lambda: copied.add_done_callback(log))
        except RuntimeError:
            return

    def close(self, wait: bool) -> None:
        """Takes no further copies. Those that wait are asked for before it returns, or else left out."""
        self._pool.shutdown(wait, cancel_futures=not wait)

    def _ask(self, body: bytes, headers: Mapping[str, str]) -> Asked:
        begin = time.perf_counter()
        try:
            answer = self._serving.ask(body, headers)
        except ApiError as error:
            answer = Answer(0, {}, error.message.encode())
        return answer, 1000 * (time.perf_counter() - begin)

    def _done(self, future: Future[Asked]) -> None:
        with self._lock:
            self._waiting -= 1

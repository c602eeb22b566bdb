"""The line that a request leaves in the log."""

from __future__ import annotations

import os
import time


class RequestLog:
    """Writes one line for each request to stderr, in one piece, so that the lines of several processes do not mix."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def write(self, request_id: str, route: str, status: int, seconds: float, size: int, caller: str = "") -> None:
        """Writes the line, if anybody wants it. ``caller``: what he calls the request, checked."""
        if not self._wanted:
            return
        now = time.time()
        moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime(now))}.{int(now % 1 * 1000):03d}"
        line = f"{moment} INFO request id={request_id} route={route} status={status} ms={1000 * seconds:.1f} bytes={size}{caller}\n"
        os.write(2, line.encode("ascii"))

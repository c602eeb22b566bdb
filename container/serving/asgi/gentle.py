"""The end of a connection that does not take the last answer with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class GentleTransport:
    """A transport whose ``close`` sends the end, and reads and drops what the caller still sends for a while: closing at once would make
    the system throw the answer away at his side."""

    def __init__(self, transport: Any, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._closed = False
        self.more_expected: Callable[[], bool] = lambda: False
        self.write, self.pause_reading, self.resume_reading = transport.write, transport.pause_reading, transport.resume_reading
        self.get_extra_info, self.abort = transport.get_extra_info, transport.abort
        self.get_write_buffer_size = transport.get_write_buffer_size

    def is_closing(self) -> bool:
        return self._closed or self._transport.is_closing()

    def close(self) -> None:
        """Ends the connection; at once where nothing more is expected, or when asked again."""
        if self._closed or not self.more_expected():
            self._transport.close()
        else:
            self._transport.write_eof()
            self._transport.resume_reading()
        self._closed = True
        asyncio.get_running_loop().call_later(self._seconds, self._transport.abort)  # also where he does not take the answer

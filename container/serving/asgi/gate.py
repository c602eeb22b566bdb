"""Whose turn it is: requests work one at a time in an event loop, which must come round in between, and only so many may wait."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from container.serving.asgi.board import Board, Row

# So long a worker answers requests without looking for new ones: some dozens of single requests, far less than a ping may take.
_SECONDS_AT_A_STRETCH = 0.005


class Gate:
    """The queue of one worker. The limit is that of all workers together, since it is what a caller sees."""

    def __init__(self, board: Board, row: Row, queue_size: int) -> None:
        self._board, self._row, self._queue_size = board, row, queue_size
        self._queue: deque[asyncio.Future[None]] = deque()
        self._spent = 0.0
        self._turning = False  # the next turn is announced to the event loop

    def is_closed(self) -> bool:
        """Returns whether the next request would have to wait for its turn."""
        return self._spent >= _SECONDS_AT_A_STRETCH or bool(self._queue)

    async def enter(self) -> bool:
        """Waits for this request's turn, which ends with ``leave``. Returns False where too many wait already."""
        if self.is_closed():
            if self.is_full():
                return False
            turn = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            self._row.add("waiting", 1)
            try:
                await turn
            finally:
                self._row.add("waiting", -1)
        return True

    def leave(self, started: float) -> None:
        """Ends a turn that began at ``started`` (``time.perf_counter``)."""
        self._spent += time.perf_counter() - started
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def is_full(self) -> bool:
        """Returns whether as many requests wait as may."""
        return self._board.total("waiting") >= self._queue_size

    def _turn(self) -> None:
        self._turning = False
        self._spent = 0.0
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():  # one that was cancelled while it waited takes no turn, and holds nobody up
                turn.set_result(None)
                return

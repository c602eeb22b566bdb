"""The workers as their parent sees them: who lives, how many connections each has, who has to be replaced."""

from __future__ import annotations

import logging
import os
import resource
import selectors
import signal
import socket
import sys
import time
import traceback
from collections import deque
from contextlib import suppress
from pathlib import Path

from container.serving.asgi import worker
from container.serving.asgi.board import Board, Row
from container.serving.responder import Responder
from container.serving.settings import Settings

log = logging.getLogger(__name__)

_SECONDS_OF_A_LIFE = 1.0  # a worker that ends sooner has died at once
_DEATHS_AT_ONCE = 10  # one after the other, before we give up
# A worker that dies of a request now and then is replaced; so many in a minute are a fault that a new instance may cure.
_LOSSES_OF_EACH = 3
_SECONDS_OF_LOSSES = 60
_SECONDS_OF_SILENCE = 0.5  # until new connections go to others
_MOST_CONNECTIONS = 4096  # of one worker
_FILES_BESIDE_CONNECTIONS = 64
_SECONDS_TO_START = 60
_LEAST_PATIENCE = 3  # with a worker that does not come round, however short the timeout: the machine may be busy


class KeepDyingError(Exception):
    """Workers die as fast as they are made."""


class Member:
    """A worker's place: the process in it, its end of the channel to it, and the connections that it was given and has not taken yet, the
    oldest first."""

    def __init__(self) -> None:
        self.process = 0
        self.channel: socket.socket | None = None
        self.sent: deque[socket.socket] = deque()
        self.given = 0  # connections
        self.born = 0.0
        self.next_birth = 0.0


class Crew:
    """``listener`` is what the workers must not keep open. Their channels are in ``selector``, with what is to be called when they say
    something."""

    def __init__(
        self,
        board: Board,
        settings: Settings,
        responder: Responder,
        metrics: Path,
        listener: socket.socket,
        selector: selectors.BaseSelector,
    ) -> None:
        self.board = board
        self._settings, self._responder, self._metrics, self._listener = settings, responder, metrics, listener
        self._selector = selector
        self._members = [Member() for _ in range(board.workers)]
        self._homeless: deque[socket.socket] = deque()  # connections that no worker could be given
        self._rows = [board.row(number) for number in range(board.workers)]
        self._deaths = 0  # at once, one after the other
        self._losses: deque[float] = deque(maxlen=_LOSSES_OF_EACH * board.workers)  # when they were
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most = max(1, min(_MOST_CONNECTIONS, files - _FILES_BESIDE_CONNECTIONS))

    def start(self) -> None:
        """Makes every worker."""
        for number in range(len(self._members)):
            self._make(number)

    def look_after(self) -> None:
        """Buries the dead, makes others in their place and gives them what the dead had not taken; ends who hangs. Raises
        ``KeepDyingError``."""
        now = time.monotonic()
        many = len(self._losses) == self._losses.maxlen
        self.board.keeps_losing_workers = many and now - self._losses[0] < _SECONDS_OF_LOSSES
        for number, (member, row) in enumerate(zip(self._members, self._rows, strict=True)):
            if not member.process:
                if now >= member.next_birth:
                    self._make(number)
                continue
            ended, status = os.waitpid(member.process, os.WNOHANG)
            if ended:
                self._bury(number, status)
            elif self._hangs(member, row, now):
                log.error("worker %d hangs: it is ended", member.process)
                os.kill(member.process, signal.SIGKILL)
        for _ in range(len(self._homeless)):
            self.give(self._homeless.popleft())

    def _hangs(self, member: Member, row: Row, now: float) -> bool:
        if not row.get("ready"):
            return now - member.born > _SECONDS_TO_START
        return row.silence() > max(self._settings.timeout, _LEAST_PATIENCE)

    def _bury(self, number: int, status: int) -> None:
        member, row = self._members[number], self._rows[number]
        how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.WEXITSTATUS(status)}"
        lost = row.get("working")
        log.error("worker %d ended (%s)%s", member.process, how, f"; {lost} requests are lost" if lost else "")
        self._losses.append(time.monotonic())
        at_once = not row.get("ready") or time.monotonic() - member.born < _SECONDS_OF_A_LIFE
        self._deaths = self._deaths + 1 if at_once else 0
        if self._deaths >= _DEATHS_AT_ONCE:
            raise KeepDyingError(f"the workers die as soon as they are started ({self._deaths} times); the lines above may say why")
        assert member.channel is not None
        self._hear(member)
        self._forget(member.channel)
        member.channel.close()
        self._homeless += member.sent
        member.sent.clear()
        row.clear()
        member.process, member.channel, member.given = 0, None, 0
        member.next_birth = time.monotonic() + (min(1.0, 0.05 * self._deaths) if at_once else 0.0)
        if not at_once:
            self._make(number)

    def _make(self, number: int) -> None:
        member = self._members[number]
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        process = os.fork()
        if process == 0:
            self._work(number, ours, theirs, parent)
        theirs.close()
        ours.setblocking(False)
        member.process, member.channel, member.given, member.born = process, ours, 0, time.monotonic()
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear(member))

    def _work(self, number: int, ours: socket.socket, theirs: socket.socket, parent: int) -> None:
        """The life of a worker."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number_ in (signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number_, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if os.getppid() != parent:  # it ended before this process could ask to end with it
                return
            ours.close()
            self._listener.close()
            for member in self._members:
                if member.channel is not None:
                    member.channel.close()
                for connection in member.sent:
                    connection.close()
            for connection in self._homeless:
                connection.close()
            worker.run(number, theirs, self._responder, self._settings, self.board, self._metrics)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    # --- connections ------------------------------------------------------------------------------------------------------------------

    def _load(self, number: int) -> tuple[bool, int, int]:
        """Returns what makes a worker less fit for the next connection: silence, connections, requests."""
        row = self._rows[number]
        connections = self._members[number].given - row.get("closed")
        return row.silence() > _SECONDS_OF_SILENCE, connections, row.get("working")

    def _fit(self) -> list[int]:
        ready = [number for number, row in enumerate(self._rows) if row.get("ready") and self._members[number].process]
        return [number for number in ready if self._members[number].given - self._rows[number].get("closed") < self._most]

    def has_room(self) -> bool:
        """Returns whether a worker could take one more connection."""
        return not self._homeless and bool(self._fit())

    def give(self, connection: socket.socket) -> None:
        """Hands a connection to the worker that has the fewest, and keeps it until that has taken it: what lies in the channel of a worker
        that dies is lost. Where none can take it, ``look_after`` tries again."""
        for number in sorted(self._fit(), key=self._load):
            member = self._members[number]
            assert member.channel is not None
            try:
                socket.send_fds(member.channel, [b"c"], [connection.fileno()])
            except OSError:  # it has just ended, or has not taken the last ones yet
                continue
            member.given += 1
            member.sent.append(connection)
            return
        self._homeless.append(connection)

    def _hear(self, member: Member) -> None:
        """Lets go of the connections that a worker says it has taken; it must not miss their end when he closes them."""
        assert member.channel is not None
        while True:
            try:
                taken = member.channel.recv(1)
            except BlockingIOError:
                return
            except ConnectionResetError:  # it has died with something unread; we hear so once, before what it has said
                continue
            if not taken:  # it has ended, and would be said to be readable all the time
                self._forget(member.channel)
                return
            for _ in range(taken[0]):
                member.sent.popleft().close()

    def _forget(self, channel: socket.socket) -> None:
        with suppress(KeyError):
            self._selector.unregister(channel)

    def stop(self, seconds: float) -> None:
        """Ends all workers: asks them, and kills those that are left after so many seconds."""
        for member in self._members:
            if member.process and seconds:
                with suppress(ProcessLookupError):
                    os.kill(member.process, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while (left := [m for m in self._members if m.process]) and time.monotonic() < deadline:
            for member in left:
                if os.waitpid(member.process, os.WNOHANG)[0]:
                    member.process = 0
            time.sleep(0.01)
        for member in left:
            with suppress(ProcessLookupError):
                os.kill(member.process, signal.SIGKILL)
            os.waitpid(member.process, 0)

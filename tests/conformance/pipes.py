"""Pipe mode: a FIFO for each epoch of a channel, through which its files come one after the other, nothing between them."""

from __future__ import annotations

import errno
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

MAGIC = 0xCED7230A
PIECE = 4096  # small: a reader must take what comes, and not what it would like


def record(content: bytes) -> bytes:
    """Returns a RecordIO record: magic number, length, content, zeros up to a multiple of four bytes."""
    return struct.pack("<II", MAGIC, len(content)) + content + bytes(-len(content) % 4)


class Pipe:
    """Feeds ``<path>_0``, then, when that has been read or closed, ``<path>_1`` and so on, until ``end``.

    ``late``: seconds until the FIFO of an epoch appears. ``records``: each file in a RecordIO record of its own.
    """

    def __init__(self, path: Path, files: Sequence[Path], *, late: float = 0, records: bool = False) -> None:
        self._path, self._late = path, late
        contents = [file.read_bytes() for file in files]
        self._content = b"".join(map(record, contents) if records else contents)
        self.epochs_read = 0  # to their ends
        self._ended = threading.Event()
        if not late:
            self._make(0)
        self._thread = threading.Thread(target=self._feed, daemon=True, name=f"pipe {path.name}")
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join(5)

    def _make(self, epoch: int) -> Path:
        path = self._path.with_name(f"{self._path.name}_{epoch}")
        if not path.exists():
            os.mkfifo(path)
            path.chmod(0o644)
        return path

    def _feed(self) -> None:
        epoch = 0
        while not self._ended.wait(self._late):
            path = self._make(epoch)
            descriptor = self._open(path)
            if descriptor is None:
                return
            try:
                for piece in self._pieces():
                    self._write(descriptor, piece)
                self.epochs_read += 1
            except BrokenPipeError:
                pass  # closing early is allowed
            finally:
                os.close(descriptor)
            path.unlink()
            epoch += 1

    def _open(self, path: Path) -> int | None:
        """Waits for a reader; None when it is over."""
        while not self._ended.wait(0.005):
            try:
                return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    return None
        return None

    def _pieces(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), PIECE):
            yield self._content[start : start + PIECE]

    def _write(self, descriptor: int, piece: bytes) -> None:
        while piece and not self._ended.is_set():
            with suppress(BlockingIOError):
                piece = piece[os.write(descriptor, piece) :]
                continue
            self._ended.wait(0.001)

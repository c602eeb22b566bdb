"""Channels in Pipe mode: SageMaker feeds a named pipe per epoch, in order; with RecordIO each record stands in a frame of its own."""

from __future__ import annotations

import io
import struct
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from training.data.errors import UserDataError

MAGIC = 0xCED7230A
HEADER = struct.Struct("<II")
LENGTH_BITS = (1 << 29) - 1  # the three bits above say whether a record goes on in the next frame
POLL_SECONDS = 0.05
WAIT_SECONDS = 60.0  # the platform makes the pipes before it starts the container


@dataclass(frozen=True)
class PipeChannel:
    """A channel that comes as a stream. ``path``: the pipe of an epoch, at first of epoch 0. ``record_wrapper``: "None" or "RecordIO"."""

    name: str
    path: Path
    record_wrapper: str = "None"
    content_type: str = ""
    wait_seconds: float = WAIT_SECONDS

    def __str__(self) -> str:
        return str(self.path)

    def epoch(self, number: int) -> PipeChannel:
        """The same channel, once more from its start: every epoch has a pipe of its own, made when the one before has been read."""
        return replace(self, path=self.path.with_name(f"{self.name}_{number}"))


def open_pipe(pipe: PipeChannel) -> BinaryIO:
    """Opens the pipe once it is there, as a stream that is read once from start to end.

    Records in RecordIO's frames come each with one newline at their end. Raises ``UserDataError`` if the pipe does not appear in time.
    """
    deadline = time.monotonic() + pipe.wait_seconds
    while not pipe.path.exists():
        if time.monotonic() > deadline:
            raise UserDataError(f"channel {pipe.name}: no pipe appeared at {pipe.path} within {pipe.wait_seconds:g} s")
        time.sleep(POLL_SECONDS)
    if not pipe.path.is_fifo():
        raise UserDataError(f"channel {pipe.name}: {pipe.path} is no pipe; set TrainingInputMode to File or FastFile")
    stream = pipe.path.open("rb")
    return io.BufferedReader(RecordStream(stream, pipe.path)) if pipe.record_wrapper == "RecordIO" else stream


class RecordStream(io.RawIOBase):
    """The payloads of RecordIO's frames, one after the other, each ending in exactly one newline.

    A frame is a magic number, the length of the payload with three bits of flags above it, the payload, and zeros up to a multiple of
    four bytes. The flags are 0 for a whole record, 1 for its first, 2 for a middle and 3 for its last frame.
    """

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream, self._path, self._rest = stream, path, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        if not self._rest:
            self._rest = memoryview(self._record())
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _record(self) -> bytes:
        """The next record that is not empty, b"" at the end."""
        payload = b""
        while header := self._exactly(HEADER.size, may_end=not payload):
            magic, length = HEADER.unpack(header)
            if magic != MAGIC:
                raise UserDataError(
                    f"{self._path}: is no RecordIO (a record begins with {header[:4].hex()}); set RecordWrapperType to None"
                )
            flag, length = length >> 29, length & LENGTH_BITS
            payload += self._exactly(length)
            self._exactly(-length % 4)
            if flag in (0, 3) and (text := payload.rstrip(b"\r\n")):
                return text + b"\n"
            if flag in (0, 3):
                payload = b""
        return b""

    def _exactly(self, size: int, *, may_end: bool = False) -> bytes:
        parts, missing = [], size
        while missing and (part := self._stream.read(missing)):
            parts.append(part)
            missing -= len(part)
        if missing and not (may_end and missing == size):
            raise UserDataError(f"{self._path}: ends in the middle of a record of RecordIO")
        return b"".join(parts)

"""Pipe mode: a FIFO for each epoch of a channel, through which its objects come one after the other."""

from __future__ import annotations

import errno
import gzip
import os
import random
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.s3_channels import S3Place

MAGIC = 0xCED7230A  # of a RecordIO record
CHUNK = 1 << 20
POLL_SECONDS = 0.02


class Pipe:
    """The FIFO ``<path>_0``, and, whenever one has been read or closed, that of the next epoch."""

    def __init__(self, s3: Any, place: S3Place, path: Path, gzipped: bool, record_io: bool, seed: int | None) -> None:
        self._s3, self._place, self._path = s3, place, path
        self._gzipped, self._record_io, self._seed = gzipped, record_io, seed
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._feed, daemon=True, name=f"pipe {path.name}")
        self._make(0)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """No further epoch; one that is being written ends when its reader is gone."""
        self._ended.set()
        self._thread.join(5)

    def _make(self, epoch: int) -> Path:
        path = self._path.with_name(f"{self._path.name}_{epoch}")
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
        return path

    def _feed(self) -> None:
        epoch, path = 0, self._path.with_name(f"{self._path.name}_0")
        while (descriptor := self._open(path)) is not None:
            with open(descriptor, "wb", buffering=0) as fifo:  # noqa: PTH123
                try:
                    for piece in self._pieces(epoch):
                        _write(fifo, piece)
                except BrokenPipeError:
                    pass  # closed early, as a reader may
            epoch += 1
            if self._ended.is_set():
                return
            path.unlink(missing_ok=True)
            path = self._make(epoch)

    def _open(self, path: Path) -> int | None:
        """Returns the FIFO, open, once somebody reads it; None if the job ended before."""
        while not self._ended.is_set():
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    return None  # the folder is gone
                time.sleep(POLL_SECONDS)
            else:
                os.set_blocking(descriptor, True)
                return descriptor
        return None

    def _pieces(self, epoch: int) -> Iterator[bytes]:
        objects = list(self._place.objects)
        if self._seed is not None:
            random.Random(self._seed + epoch).shuffle(objects)
        for one in objects:
            body = self._s3.get_object(Bucket=self._place.bucket, Key=one.key)["Body"]
            if self._record_io:
                content = gzip.decompress(body.read()) if self._gzipped else body.read()
                yield record(content)
            elif self._gzipped:
                with gzip.GzipFile(fileobj=body) as unpacked:
                    yield from iter(lambda: unpacked.read(CHUNK), b"")
            else:
                yield from body.iter_chunks(CHUNK)


def record(content: bytes) -> bytes:
    """Returns one RecordIO record: magic number, length, content, zeros up to a multiple of 4 bytes."""
    return struct.pack("<II", MAGIC, len(content)) + content + bytes(-len(content) % 4)


def _write(fifo: Any, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[fifo.write(view) :]

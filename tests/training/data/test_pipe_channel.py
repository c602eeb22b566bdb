"""Pipe mode: a stream that comes once."""

import gzip
import io
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.data.errors import UserDataError
from training.data.extract import extract
from training.data.pipe_channel import MAGIC, PipeChannel, RecordStream, open_pipe

EVENTS = b"user,item\nu1,a\nu2,b\n"


@contextmanager
def fed(path: Path, *parts: bytes) -> Iterator[None]:
    """A named pipe that another thread writes the parts to."""
    os.mkfifo(path)

    def feed() -> None:
        with path.open("wb") as pipe:
            for part in parts:
                pipe.write(part)
                pipe.flush()

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    yield
    thread.join(timeout=10)
    assert not thread.is_alive()


def from_pipe(tmp_path: Path, *parts: bytes, channel: str = "interactions", wrapper: str = "None") -> Dataset:
    path = tmp_path / f"{channel}_0"
    with fed(path, *parts):
        return extract({channel: PipeChannel(channel, path, wrapper)}, TrainingConfig())


def frame(payload: bytes, flag: int = 0) -> bytes:
    return struct.pack("<II", MAGIC, len(payload) | flag << 29) + payload + bytes(-len(payload) % 4)


@pytest.mark.parametrize(
    "content",
    [
        EVENTS,
        gzip.compress(EVENTS, mtime=0),
        b'{"user": "u1", "item": "a"}\n{"user": "u2", "item": "b"}',
        b'[{"user": "u1", "item": "a"}, {"user": "u2", "item": "b"}]',
        EVENTS + b"user,item\nu2,b\n",  # the next file of the channel, its header too
    ],
)
def test_a_pipe_is_read_like_a_file_of_the_same_content(tmp_path: Path, content: bytes) -> None:
    dataset = from_pipe(tmp_path, *[content[start : start + 7] for start in range(0, len(content), 7)])
    assert dataset.user_ids.tolist() == ["u1", "u2"]
    assert dataset.item_ids.tolist() == ["a", "b"]
    (file,) = dataset.files
    assert file.size == len(content)
    assert file.rows == dataset.counts["interactions.rows_read"]


def test_an_empty_pipe_is_an_empty_channel(tmp_path: Path) -> None:
    with pytest.raises(UserDataError, match="no data to train on"):
        from_pipe(tmp_path)


def test_parquet_in_a_pipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserDataError, match="Parquet cannot be read from a pipe"):
        from_pipe(tmp_path, b"PAR1" + bytes(100))


def test_records_in_frames_become_lines(tmp_path: Path) -> None:
    dataset = from_pipe(tmp_path, frame(EVENTS[:-1]), frame(b"u3", 1), frame(b",c\n", 3), frame(b"u4,d\r\n"), wrapper="RecordIO")
    assert dataset.user_ids.tolist() == ["u1", "u2", "u3", "u4"]


@given(records=st.lists(st.binary(min_size=1, max_size=40).filter(lambda record: record.strip(b"\r\n") == record), max_size=10))
def test_every_record_comes_back_as_one_line(records: list[bytes]) -> None:
    stream = RecordStream(io.BytesIO(b"".join(map(frame, records))), Path("pipe"))
    assert io.BufferedReader(stream).read() == b"".join(record + b"\n" for record in records)


@pytest.mark.parametrize(("content", "sentence"), [(EVENTS, "is no RecordIO"), (frame(EVENTS)[:-3], "in the middle of a record")])
def test_what_is_no_recordio_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(UserDataError, match=sentence):
        from_pipe(tmp_path, content, wrapper="RecordIO")


def test_a_pipe_is_waited_for_and_missed_with_a_sentence(tmp_path: Path) -> None:
    pipe = PipeChannel("items", tmp_path / "items_0", wait_seconds=0.1)
    with pytest.raises(UserDataError, match=r"no pipe appeared at .*items_0 within 0\.1 s"):
        open_pipe(pipe)
    (tmp_path / "items_0").write_text("a file")
    with pytest.raises(UserDataError, match="is no pipe"):
        open_pipe(pipe)
    later = PipeChannel("items", tmp_path / "later_0", wait_seconds=10)
    threading.Timer(0.2, os.mkfifo, [later.path]).start()
    writer = threading.Timer(0.4, lambda: later.path.write_bytes(b"x"))
    writer.start()
    with open_pipe(later) as stream:
        assert stream.read() == b"x"
    writer.join()

"""Which files are read, and as what."""

import gzip
import hashlib
import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from training.data.errors import UserDataError
from training.data.file_plan import FilePlan, inspect, pieces
from training.data.files import DataFile, channel_files, data_files
from training.data.readers import read_piece

TABLE = "user,item\nu1,007\nu2,None\n"
RECORDS = [{"user": "u1", "item": "007"}, {"user": "u2", "item": "None"}]


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(RECORDS), sink)
    return sink.getvalue()


def read_file(path: Path, columns: list[str], piece_bytes: int = 1 << 20) -> tuple[FilePlan, list[dict], int]:
    """What the file is, its rows, and how many of its rows are misshapen."""
    plan = inspect(DataFile("items", path, path.name), piece_bytes)
    chunks = [chunk for piece in pieces(plan) for chunk in read_piece(piece, columns)]
    return plan, [row for chunk in chunks for row in chunk.table.to_pylist()], sum(len(chunk.misshapen) for chunk in chunks)


LINES = "\n".join(map(json.dumps, RECORDS))
SAME_TABLE = {
    "plain.csv": TABLE.encode(),
    "capitals.CSV": TABLE.encode(),
    "no_last_newline.csv": TABLE.rstrip("\n").encode(),
    "crlf.csv": TABLE.replace("\n", "\r\n").encode(),
    "byte_order_mark.csv": ("\ufeff" + TABLE).encode(),
    "quoted.csv": b'"user","item"\n"u1","007"\n"u2","None"',
    "semicolons.csv": TABLE.replace(",", ";").encode(),
    "packed.csv.gz": gzip.compress(TABLE.encode()),
    "packed_in_two_members.gz": gzip.compress(TABLE.encode()[:12]) + gzip.compress(TABLE.encode()[12:]),
    "tabs.tsv": TABLE.replace(",", "\t").encode(),
    "lines.jsonl": LINES.encode(),
    "lines.ndjson": (LINES + "\n\n").encode(),
    "lines_packed.json.gz": gzip.compress(LINES.encode()),
    "array.json": json.dumps(RECORDS, indent=1).encode(),
    "table.parquet": parquet_bytes(),
    "part-00000": TABLE.encode(),
    "part-00001": LINES.encode(),
    "part-00002": parquet_bytes(),
    "part-00003": gzip.compress(TABLE.encode()),
}


@pytest.mark.parametrize("name", SAME_TABLE)
def test_every_format_gives_the_same_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(SAME_TABLE[name])
    plan, rows, misshapen = read_file(path, ["user", "item"])
    assert plan.columns == ("user", "item")
    assert plan.size == len(SAME_TABLE[name])
    assert plan.sha256 == hashlib.sha256(SAME_TABLE[name]).hexdigest()
    assert rows == RECORDS
    assert misshapen == 0


def test_files_are_found_in_nested_folders_in_sorted_order_and_marker_files_are_ignored(tmp_path: Path) -> None:
    wanted = ["a/part-0.csv", "a/part-1.csv", "b.csv", "c/d/e/f.parquet"]
    unwanted = ["_SUCCESS", ".hidden.csv", "a/.part-0.csv.crc", "a/part-0.csv.crc", "_temporary/0/part-9.csv", ".git/x.csv"]
    for name in wanted + unwanted:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "broken_link.csv").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.csv")
    files, ignored = data_files(tmp_path)
    assert [file.relative_to(tmp_path).as_posix() for file in files] == wanted
    assert ignored == len(unwanted) + 3


def test_a_channel_may_be_one_file_or_missing(tmp_path: Path) -> None:
    (tmp_path / "only.csv").write_text(TABLE)
    assert data_files(tmp_path / "only.csv") == ([tmp_path / "only.csv"], 0)
    assert data_files(tmp_path / "missing") == ([], 0)


BROKEN = {
    "truncated.csv.gz": (gzip.compress(os.urandom(5000))[:-900], "cannot be read as CSV"),
    "not_gzip.csv.gz": (TABLE.encode(), "not gzip"),
    "short.parquet": (parquet_bytes()[:-20], "cannot be read as Parquet"),
    "text.parquet": (TABLE.encode(), "cannot be read as Parquet"),
    "wide.csv": (TABLE.encode("utf-16"), "UTF-16; save it as UTF-8"),
    "latin.csv": ("user,item\nMüller,1\n".encode("latin-1"), "save it as UTF-8"),
    "book.xlsx": (b"PK\x03\x04\x00\x00\x00", "is not text"),
    "open_quote.csv": (b'user,item\n1,2\n3,"4\n5,6\n7,8\n', "opened and never closed"),
    "open_quote_ragged.csv": (b'user,item\n1,2\n"3,4\n5,6\n', "opened and never closed"),
    "words.jsonl": (b"hello\nworld\n", "no line is a JSON object"),
    "array.json": (b'[{"user": 1},', "neither JSON Lines nor a JSON array"),
}


def test_a_quote_inside_a_value_is_a_character(tmp_path: Path) -> None:
    path = tmp_path / "inches.csv"
    path.write_text('user,item,note\nu,7" single,\nu,"a ""b""",x\n')
    assert read_file(path, ["item"])[1] == [{"item": '7" single'}, {"item": 'a "b"'}]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    content, message = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserDataError, match=message) as error:
        read_file(path, ["user", "item"])
    assert str(error.value).startswith(str(path))
    assert len(str(error.value)) < 500


def test_linked_folders_are_read_once_and_circles_end(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "part.csv").write_text("a\n1\n")
    channel = tmp_path / "channel"
    channel.mkdir()
    (channel / "2024").symlink_to(tmp_path / "elsewhere")
    (channel / "circle").symlink_to(channel)
    assert data_files(channel) == ([channel / "2024" / "part.csv"], 0)


def test_a_file_whose_name_is_not_utf8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/x\xff.csv")).write_text("id\n1\n")
    with pytest.raises(UserDataError, match="the name of the file is not UTF-8"):
        channel_files("items", [("items", tmp_path)])

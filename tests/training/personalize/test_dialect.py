"""The CSV of Amazon Personalize: what is written is read back, and files of others are read as they are meant."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.errors import UserDataError
from training.personalize import dialect
from training.personalize.dialect import CsvFile, header_of, read_rows

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('",\\ \n|'), min_size=1, max_size=12)
ROWS = st.lists(st.tuples(TEXTS, st.none() | TEXTS), min_size=1, max_size=8)


def written(path: Path, rows: list[tuple[str, str | None]]) -> Path:
    first, second = zip(*rows, strict=True)
    with CsvFile(path, ["A", "B"]) as file:
        file.write({"A": pa.array(first, pa.large_string()), "B": pa.array(second, pa.large_string())})
    assert file.rows == len(rows)
    return path


def read(path: Path) -> list[tuple[str | None, str | None]]:
    table = pa.concat_tables(read_rows(path))
    return list(zip(table.column("A").to_pylist(), table.column("B").to_pylist(), strict=True))


@settings(deadline=None)
@given(ROWS)
def test_any_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str | None]]) -> None:
    assert read(written(tmp_path_factory.mktemp("csv") / "a.csv", rows)) == rows


@settings(deadline=None)
@given(ROWS)
def test_the_file_is_what_the_developer_guide_says(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str | None]]) -> None:
    text = written(tmp_path_factory.mktemp("csv") / "a.csv", rows).read_bytes().decode()
    assert text.startswith("A,B\n")  # the header has no quotes
    other_reader = csv.reader(io.StringIO(text, newline=""), escapechar="\\", doublequote=False, strict=True)
    assert list(other_reader)[1:] == [[first, second or ""] for first, second in rows]


@settings(deadline=None)
@given(ROWS)
def test_a_plain_csv_with_doubled_quotes_is_read_too(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str | None]]) -> None:
    rows = [(first.replace("\\", "/"), second and second.replace("\\", "/")) for first, second in rows]
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("A", "B"), *rows])
    assert read(path) == rows


@pytest.mark.parametrize(
    ("body", "row"),
    [
        ("C:\\songs,1\n", ("C:\\songs", "1")),  # a backslash in a plain CSV is one
        ('"C:\\songs, all ""of"" them",1\n', ('C:\\songs, all "of" them', "1")),
        ('"ends in \\",1\n', ("ends in \\", "1")),  # there is only one way to close this quote
        ('"say \\"hi\\"",1\n', ('say "hi"', "1")),
        ('"two \\\\ of them",1\n', ("two \\ of them", "1")),
    ],
)
def test_the_meaning_of_a_backslash_is_told_by_the_file(tmp_path: Path, body: str, row: tuple[str, str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("A,B\n" + body)
    assert read(path) == [row]


def test_a_backslash_at_the_edge_of_what_is_scanned_at_once_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.csv", [('q"\\' * 5, "x"), ("y\\", '"')])
    for size in range(1, 20):
        monkeypatch.setattr(dialect, "SCANNED_BYTES", size)
        assert read(path) == [('q"\\' * 5, "x"), ("y\\", '"')]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no header"),
        (b"A,B\n1,2\n3\n", "row 2: has 1 values, the header names 2 columns"),
        (b'A,B\n1,2\n"3,4\n', "opened and never closed"),
        (b"A,B\n\xff\xfe,2\n", "UTF-?8"),
        ("A,B\n1,2\n".encode("utf-16"), "not text in UTF-8"),
    ],
)
def test_a_broken_file_ends_in_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(UserDataError, match=f"a\\.csv.*{said}"):
        list(read_rows(path))


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfA,B\r\n1,2\r\n")
    assert header_of(path) == ["A", "B"]
    assert read(path) == [("1", "2")]


def test_what_fails_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    written(path, [("1", "2")])
    file = CsvFile(path, ["A", "B"])
    with pytest.raises(KeyError), file:
        file.write({"A": pa.array(["3"])})
    assert [found.name for found in tmp_path.iterdir()] == ["a.csv"]
    assert read(path) == [("1", "2")]

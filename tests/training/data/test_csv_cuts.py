"""A file is cut only where a row ends, whatever its values hold."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.csv_cuts import CutFinder
from training.data.file_plan import inspect, pieces
from training.data.files import DataFile
from training.data.readers import read_piece

VALUE = st.lists(st.sampled_from(['"', ",", "\n", "\r\n", "a", "é", " ", '""', ";"]), max_size=5).map("".join)
ROWS = st.lists(st.tuples(VALUE, VALUE), min_size=1, max_size=30)


def cuts_of(content: bytes, step: int, block: int) -> tuple[int, ...]:
    finder = CutFinder(step, ",")
    for start in range(0, len(content), block):
        finder.feed(content[start : start + block])
    return finder.finish()


def written(rows: list[tuple[str, str]], quoting: int, newline: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting, lineterminator=newline)
    writer.writerow(("first", "second"))
    writer.writerows(rows)
    return text.getvalue().encode()


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, step=st.integers(1, 60), block=st.integers(1, 50), newline=st.sampled_from(["\n", "\r\n"]))
def test_every_cut_is_the_end_of_a_row_and_blocks_do_not_matter(rows: list, step: int, block: int, newline: str) -> None:
    content = written(rows, csv.QUOTE_ALL, newline)
    cuts = cuts_of(content, step, block)
    assert cuts == cuts_of(content, step, 10_000)
    lengths = [len(written(rows[:count], csv.QUOTE_ALL, newline)) for count in range(len(rows) + 1)]
    assert set(cuts) <= set(lengths)
    assert cuts or len(content) <= step + max(len(content) - lengths[0], 0)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, step=st.integers(1, 60), quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_the_pieces_of_a_file_have_the_rows_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list, step: int, quoting: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "rows.csv"
    path.write_bytes(written(rows, quoting, "\n"))

    def read(piece_bytes: int) -> list[dict]:
        plan = inspect(DataFile("items", path, "rows.csv"), piece_bytes)
        chunks = [chunk for piece in pieces(plan) for chunk in read_piece(piece, ["first", "second"])]
        return [row for chunk in chunks for row in chunk.table.to_pylist()]

    assert read(step) == read(1 << 20)


@pytest.mark.parametrize(
    "content",
    [
        b'a,b\n7" single,x\n1,2\n3,4\n',  # a quote inside a value that is not quoted
        b'a,b\n"x"y,2\n3,4\n5,6\n',  # something after the closing quote
        b'a,b\n1,"2\n3,4\n5,6\n',  # never closed
        b'a,b\n 1, "2"\n3,4\n5,6\n',  # a blank before the quote makes it part of the value
    ],
)
def test_a_file_whose_quotes_stand_elsewhere_is_not_cut(content: bytes) -> None:
    assert cuts_of(content, 5, 3) == cuts_of(content, 5, 100) == ()


def test_a_byte_order_mark_before_a_quoted_header_is_no_reason_not_to_cut() -> None:
    assert cuts_of(b'\xef\xbb\xbf"a","b"\n"1","2"\n"3","4"\n', 12, 100) == (19,)


def test_lines_of_json_end_at_every_newline() -> None:
    finder = CutFinder(4, None)
    finder.feed(b'{"a": "x\\"y"}\n{"a": 2}\n{"a": 3}\n')
    assert finder.finish() == (14, 23)

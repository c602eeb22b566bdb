"""A compressed CSV is cut into blocks while it is decompressed: rows, their numbers and the sentences are those of the file read whole."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.data import conftest
from training.data import channel, csv_blocks
from training.data.csv_blocks import CsvBlocks
from training.data.engine import LocalEngine
from training.data.errors import UserDataError
from training.data.extract import extract

CONTENT = st.lists(st.sampled_from(['"', ",", "\n", "\r\n", "a", "é", " ", '""', 'x"', '7" b\n', "1,2\n", '"a\nb",c\n']), max_size=40).map(
    "".join
)


@contextmanager
def cut_small(step: int, read: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channel, "BLOCKS_FROM", 0)
        patch.setattr(channel, "BLOCK_BYTES", step)
        patch.setattr(csv_blocks, "READ_BYTES", read)
        yield


@settings(max_examples=200, deadline=None)
@given(content=CONTENT, step=st.integers(1, 40), read=st.integers(1, 30))
def test_blocks_and_rest_are_the_stream_without_a_gap(content: str, step: int, read: int) -> None:
    with cut_small(step, read):
        blocks = CsvBlocks(io.BytesIO(content.encode()), step, ",")
        cut = list(blocks)
        rest = blocks.rest
    assert b"".join(cut) + (rest.read() if rest is not None else b"") == content.encode()
    assert blocks.blocks == len(cut)
    assert all(block.endswith(b"\n") for block in cut[:-1])


def result(path: Path, threads: int) -> object:
    """All that there is to know of what was read, or the sentence."""
    try:
        dataset = extract({"items": path}, conftest.settings(), LocalEngine(threads))
    except UserDataError as error:
        return str(error)
    catalogue = dataset.catalogue
    assert catalogue is not None
    problems = {kind: (problem.count, problem.examples) for kind, problem in dataset.ledger.problems.items()}
    return dataset.item_ids.tolist(), catalogue.titles.tolist(), dataset.counts, problems


@settings(max_examples=150, deadline=None)
@given(content=CONTENT, step=st.integers(8, 60), threads=st.sampled_from([1, 3]))
def test_a_file_in_blocks_is_the_file_read_whole(tmp_path_factory: pytest.TempPathFactory, content: str, step: int, threads: int) -> None:
    path = tmp_path_factory.mktemp("blocks") / "songs.csv.gz"
    path.write_bytes(gzip.compress(f"id,title\ns,t\n{content}".encode()))
    whole = result(path, 1)
    with cut_small(step, 16):
        assert result(path, threads) == whole


@pytest.mark.parametrize("bad", ['7" single,x\n', 'a,"never closed\n', "one value too many,2,3\n"])
def test_what_is_wrong_far_into_a_file_is_reported_with_its_row(tmp_path: Path, bad: str) -> None:
    rows = [f"s{number},Song {number}\n" for number in range(500)]
    path = tmp_path / "songs.csv.gz"
    path.write_bytes(gzip.compress("".join(["id,title\n", *rows[:400], bad, *rows[400:]]).encode()))
    whole = result(path, 1)
    with cut_small(1000, 500):
        assert result(path, 2) == whole
    assert "400" in str(whole) or "401" in str(whole)


def test_quoted_values_keep_their_newlines(tmp_path: Path) -> None:
    lyrics = ['la "la"\nla,\r\n' * number for number in range(60)]
    text = io.StringIO()
    csv.writer(text).writerows([("id", "title"), *((f"s{number:02}", words) for number, words in enumerate(lyrics))])
    path = tmp_path / "songs.csv.gz"
    path.write_bytes(gzip.compress(text.getvalue().encode()))
    with cut_small(300, 100):
        found = result(path, 2)
    assert isinstance(found, tuple)
    assert found[1] == lyrics

"""Both files are written, whole and the same as the document; the log gets a few plain lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.quality.cases import CASES
from tests.training.quality.small_data import Good, document_of, hostile_dataset, read
from training.quality.document import quality_document
from training.quality.page import page
from training.quality.report import QUALITY_HTML, QUALITY_JSON, summary, write_quality_report


def test_both_files_are_written_and_hold_the_document(tmp_path: Path) -> None:
    dataset, config = read(tmp_path, Good(songs=60).files())
    folder = tmp_path / "output" / "data"
    document = write_quality_report(dataset, config, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["quality_report.html", "quality_report.json"]
    assert document == quality_document(dataset, config)
    assert json.loads((folder / QUALITY_JSON).read_text(encoding="ascii")) == document
    assert (folder / QUALITY_HTML).read_text(encoding="utf-8") == page(document)


def test_what_an_earlier_job_wrote_is_replaced_whole(tmp_path: Path) -> None:
    for name in (QUALITY_JSON, QUALITY_HTML):
        (tmp_path / name).write_text("x" * 1_000_000, encoding="utf-8")
    document = write_quality_report(*read(tmp_path, Good(songs=60).files()), tmp_path)
    assert json.loads((tmp_path / QUALITY_JSON).read_text(encoding="utf-8")) == document
    assert (tmp_path / QUALITY_HTML).read_text(encoding="utf-8") == page(document)


def test_a_file_that_could_not_be_written_to_its_end_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, config = read(tmp_path, Good(songs=60).files())
    (tmp_path / QUALITY_JSON).write_text("before", encoding="utf-8")

    def half(path: Path, text: str, encoding: str) -> int:
        with path.open("w", encoding=encoding) as file:
            file.write(text[: len(text) // 2])
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="no space"):
        write_quality_report(dataset, config, tmp_path)
    assert (tmp_path / QUALITY_JSON).read_text(encoding="utf-8") == "before"
    assert not (tmp_path / QUALITY_HTML).exists()


def test_hostile_text_is_written_too(tmp_path: Path) -> None:
    document = write_quality_report(*hostile_dataset(tmp_path), tmp_path)
    assert json.loads((tmp_path / QUALITY_JSON).read_text(encoding="ascii")) == document
    assert (tmp_path / QUALITY_HTML).read_text(encoding="utf-8") == page(document)


def plain(lines: list[str]) -> bool:
    return 5 <= len(lines) <= 15 and all(line.isascii() and line.isprintable() and line == line.rstrip() for line in lines)


def test_the_log_tells_what_was_read_lost_and_found(tmp_path: Path) -> None:
    data = Good()
    for name in ("rows_left_out", "duplicate_rows", "mostly_missing"):
        CASES[name].change(data, CASES[name].at)
    assert summary(document_of(tmp_path, data.files())) == [
        "data quality: 120 songs (120 in the catalogue), 120 listeners, 960 pairs of a listener and a song",
        "  rows read: 970 of interactions, 127 of items, from 2 files",
        "  rows left out: 10 rows of interactions (missing id)",
        "  said twice and merged: 7 rows of songs",
        "  missing in the catalogue: year 50 %",
        "  deserves attention (3):",
        "  medium: 1 % of the rows of the channel interactions were left out (10 of 970: missing id 10). "
        "The model knows nothing of what they said.",
        "  low: 5.5 % of the rows of songs have an id that another row has (7 of 127). Rows of one id are one song, "
        "with the genres of all of them; what else they say differently is taken from the fullest.",
        "  low: Year (50 % missing) has no value for at least half of the songs, and can't tell these songs apart.",
        "  all of it, with examples: quality_report.html and quality_report.json in the output of the job",
    ]


@pytest.mark.parametrize("channel", ["items", "interactions", "items interactions"])
def test_the_log_of_good_data_is_short(tmp_path: Path, channel: str) -> None:
    files = {name: text for name, text in Good().files().items() if name.split("/")[0] in channel.split()}
    lines = summary(document_of(tmp_path, files))
    assert plain(lines)
    assert "  nothing deserves attention" in lines
    assert "  rows left out: none" in lines
    assert f"  missing in the catalogue: {'none' if 'items' in channel else 'there is no catalogue'}" in lines


def test_however_much_there_is_to_tell_the_log_gets_plain_lines(tmp_path: Path) -> None:
    data = Good(songs=60)
    changes = {"times_missing": 60, "broken_times": 20, "future_times": 1, "rows_left_out": 20, "placeholder_ids": 1, "orphan_events": 60}
    changes |= {"values_lost": 20, "tempo_zeros": 20, "mostly_missing": 60, "duplicate_songs": 20, "duplicate_rows": 20, "no_column": 1}
    for name, n in changes.items():
        CASES[name].change(data, n)
    document = document_of(tmp_path / "much", data.files())
    assert {one["finding"] for one in document["attention"]} == changes.keys()
    assert plain(summary(document))
    assert f"  and {len(document['attention']) - 6} more" in summary(document)
    assert plain(summary(quality_document(*hostile_dataset(tmp_path / "hostile"))))


def test_letters_that_not_every_log_takes_are_spelled(tmp_path: Path) -> None:
    data = Good()
    for song in data.songs[:15]:
        song["artist"] = "Björk\n\u202eالعربية"
    (line,) = [line for line in summary(document_of(tmp_path, data.files())) if "the artist" in line]
    assert r'"bj\xf6rk \ufffd\u0627' in line

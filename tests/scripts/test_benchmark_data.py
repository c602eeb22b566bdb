"""The benchmarks of the data side, on small data: what they compare does the same work, and what they print is what they measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts import benchmark_data, benchmark_events
from scripts.benchmark_catalogue import OURS, PANDAS, READING
from scripts.benchmark_scale import growth_per_doubling
from scripts.command_line import CommandError
from scripts.make_dataset import make_dataset
from scripts.peers_pandas import features
from training.config import TrainingConfig
from training.data.extract import extract

pytestmark = pytest.mark.slow  # trains or reads in processes of its own, many times


def figures(main: Any, tmp_path: Path, *arguments: str) -> Any:
    out = tmp_path / "figures.json"
    assert main([*arguments, "--out", str(out), "--work-dir", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"figures.json"}  # what was generated is gone
    return json.loads(out.read_text(encoding="utf-8"))


def test_all_that_is_compared_reads_the_same_rows_and_finds_the_same_songs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = figures(benchmark_data.main, tmp_path, "--rows", "600", "--rounds", "1")["catalogue"]
    counts = found["counts"]
    assert counts[OURS] == counts[PANDAS] == found["songs"] < 600
    assert {name: count for name, count in counts.items() if name not in (OURS, PANDAS)} == dict.fromkeys(found["reading"], 600)
    assert any(name.startswith("polars") for name in found["reading"])
    assert found["features"][OURS]["times_ours"] == found["reading"][READING]["times_ours"] == 1
    printed = capsys.readouterr().out
    assert all(name in printed for name in (*found["features"], *found["reading"]))
    assert f"({found['features'][OURS]['rows_per_second']:,.0f})" in printed


def test_plain_pandas_makes_the_songs_and_genres_that_we_make(tmp_path: Path) -> None:
    make_dataset(tmp_path, song_rows=500, catalogue="tracks", events="none", compress=True)
    path = tmp_path / "items" / "songs.csv.gz"
    songs, sound = features(path)
    ours = extract({"items": path}, TrainingConfig())
    assert songs.index.tolist() == ours.item_ids.tolist()
    assert ours.catalogue is not None
    assert [tuple(genres) for genres in songs["genres"]] == ours.catalogue.genres
    assert sound.shape == (len(songs), 14)


def test_growing_files_are_read_in_processes_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = figures(benchmark_data.main, tmp_path, "--scale", "400", "200", "--engine", "pandas")["scale"]
    assert [run["rows"] for run in runs] == [200, 400]
    assert all(run["engine"] == "pandas" and run["peak_bytes"] > 1e7 and run["process_seconds"] > run["seconds"] > 0 for run in runs)
    assert "target: time for twice the rows at most 2.1 times" in capsys.readouterr().out


def test_events_of_growing_number_become_matrices(tmp_path: Path) -> None:
    runs = figures(benchmark_events.main, tmp_path, "--millions", "0.002", "0.004", "--songs", "300")["runs"]
    assert [run["songs"] <= 300 and run["pairs"] <= run["rows"] for run in runs] == [True, True]
    assert [run["listeners"] for run in runs] == [25, 50]


def test_growth_is_told_as_if_the_size_had_doubled() -> None:
    assert growth_per_doubling([1, 2, 8, 8], [3.0, 6.0, 24.0, 24.0]) == [None, 2.0, 2.0, None]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no such file"):
        benchmark_data.main(["--items", str(tmp_path / "none.csv")])

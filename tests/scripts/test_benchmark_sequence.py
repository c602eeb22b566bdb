"""What order and words are worth, on data where it is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.benchmark_sequence import main
from scripts.command_line import CommandError
from tests.training.test_sequences_pipeline import write_world

NEXT_ONLY = ["-p", "transitions_backward=0", "-p", "transitions_patience=0.3", "-p", "ease_l2=1"]


def measured(printed: str) -> dict[str, tuple[float, float]]:
    """Recall of each model alone, and of EASE with it."""
    rows = [line.split() for line in printed.strip().split("\n")[2:]]
    return {row[0]: (float(row[1]), float(row[4]) if len(row) > 6 else 0.0) for row in rows}


@pytest.mark.parametrize("hide", ["random", "last"])
def test_on_circles_of_songs_order_and_names_find_what_is_hidden(hide: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    channels = write_world(tmp_path, "position")
    places = ["--interactions", str(channels["interactions"]), "--users", str(channels["users"])]
    assert main([*places, "--hide", hide, *NEXT_ONLY]) == 0
    recall = measured(capsys.readouterr().out)
    assert set(recall) == {"ease", "transitions", "sessions", "words", "popularity"}
    assert recall["transitions"][0] == pytest.approx(1.0, abs=0.1)
    assert recall["words"][0] == pytest.approx(1.0)
    assert all(both >= 0.9 for name, (_, both) in recall.items() if name != "ease")


def test_what_comes_after_one_moment_is_hidden_where_there_are_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    channels = write_world(tmp_path, "timestamp")
    assert main(["--interactions", str(channels["interactions"]), "--hide", "after", "--shown", "3", *NEXT_ONLY]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("300 listeners, 24 songs")
    assert set(measured(printed)) == {"ease", "transitions", "sessions", "popularity"}


def test_positions_are_no_moment_to_hide_by(tmp_path: Path) -> None:
    channels = write_world(tmp_path, "position")
    with pytest.raises(CommandError, match="--hide after needs times"):
        main(["--interactions", str(channels["interactions"]), "--hide", "after"])

"""The benchmark of fitting runs for real, on a small catalogue."""

from __future__ import annotations

import pytest

from scripts import benchmark_training
from scripts.command_line import CommandError

pytestmark = pytest.mark.slow  # trains or reads in processes of its own, many times


def test_each_size_is_trained_measured_and_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark_training.main(["--songs", "150", "300", "--models", "popularity,graph,content"]) == 0
    heading, small, large = capsys.readouterr().out.splitlines()[-3:]
    for column in ("songs", "interactions", "graph s", "peak MB", "request ms", "per doubling"):
        assert column in heading
    assert small.split()[0] == "150"
    assert small.split()[-1] == "-"
    assert large.split()[0] == "300"
    assert int(large.split()[1]) > int(small.split()[1])


def test_sizes_that_cannot_be_made_are_refused() -> None:
    with pytest.raises(CommandError, match="--songs"):
        benchmark_training.main(["--songs", "1"])

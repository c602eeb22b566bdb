"""The benchmark of one request measures what it says, on a model that answers."""

from __future__ import annotations

import numpy as np
import pytest

from scripts import benchmark_predict


def test_every_kind_of_request_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark_predict.main(["--songs", "3000", "--entries", "10", "--history", "5", "--requests", "5"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("3,000")]
    assert [line[1] for line in lines] == [*benchmark_predict.KINDS, "dense"]
    assert all(0 < float(line[2]) <= float(line[3]) for line in lines)


def test_what_is_asked_with_a_filter_or_for_reasons_is_answered_so() -> None:
    model = benchmark_predict.made(4000, 20, 10)
    assert model._sparse is not None
    found = benchmark_predict.timed(model, list(benchmark_predict.bodies("both", 4000, 10, 60, np.random.default_rng(0))))
    assert found["median"] > 0

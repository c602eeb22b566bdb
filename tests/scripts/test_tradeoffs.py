"""What the options of the re-ranker cost and give, measured on the listeners that training held out."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.command_line import CommandError
from scripts.make_dataset import make_dataset
from scripts.tradeoff_plots import Point, plot
from scripts.tradeoff_weights import non_dominated, simplex_points
from scripts.tradeoffs import main
from training import pipeline
from training.config import TrainingConfig

FAST = {"models": "item_knn,content,popularity", "evaluation_bootstrap_samples": "20", "rerank_max_per_artist": "1"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("tradeoffs")
    make_dataset(base, songs=300, listeners=250, events_per_listener=20, seed=3)
    channels = {"interactions": base / "interactions", "items": base / "items"}
    pipeline.run(TrainingConfig.from_hyperparameters(FAST), channels, base / "model", base / "output", threads=2)
    return base


def tradeoffs(trained: Path, output: Path, *more: str) -> int:
    channels = ("--interactions", str(trained / "interactions"), "--items", str(trained / "items"))
    return main([str(trained), *channels, "--output", str(output), "--k", "10", *more])


def rows(output: Path) -> list[dict[str, str]]:
    with (output / "tradeoffs.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_option_gives_more_of_what_it_is_for_and_off_is_off(trained: Path, tmp_path: Path) -> None:
    assert tradeoffs(trained, tmp_path, "--options", "diversity", "calibration", "max_per_artist") == 0
    found = rows(tmp_path)
    off, last = found[0], {row["option"]: row for row in found}  # the last value is the strongest
    assert float(last["diversity"]["diversity"]) > float(off["diversity"])
    assert float(last["calibration"]["calibration_error"]) < float(off["calibration_error"])
    assert float(last["max_per_artist"]["distinct_artists"]) > float(off["distinct_artists"])  # whatever the model's default is
    document = json.loads((tmp_path / "tradeoffs.json").read_text())
    assert [one["asked"] for one in document["settings"]][:2] == [{}, {"diversity": 0.1}]
    low, high = document["settings"][0]["interval"]["ndcg"]
    assert low <= document["settings"][0]["mean"]["ndcg"] <= high
    for name in ("diversity", "calibration", "max_per_artist"):
        ElementTree.parse(tmp_path / f"{name}.svg")
    assert not (tmp_path / "novelty.svg").exists()


def test_no_option_gives_the_accuracy_that_training_measured_on_all_listeners(trained: Path, tmp_path: Path) -> None:
    base = tmp_path / "plain"
    config = TrainingConfig.from_hyperparameters({**FAST, "rerank_max_per_artist": "0"})
    channels = {"interactions": trained / "interactions", "items": trained / "items"}
    pipeline.run(config, channels, base / "model", base / "output", threads=2)
    arguments = ("--interactions", str(trained / "interactions"), "--items", str(trained / "items"), "--output", str(tmp_path / "out"))
    main([str(base), *arguments, "--options", "novelty", "--listeners", "1000", "--k", "20"])
    measured = json.loads((base / "output" / "evaluation.json").read_text())["holdout"]["models"]["hybrid"]
    off = json.loads((tmp_path / "out" / "tradeoffs.json").read_text())["settings"][0]["mean"]
    for name in ("recall", "ndcg", "diversity", "novelty", "coverage"):
        assert off[name] == pytest.approx(measured[f"{name}_at_20"]["mean"], abs=1e-6)


def test_pareto_tries_weights_and_marks_the_fronts(trained: Path, tmp_path: Path) -> None:
    assert tradeoffs(trained, tmp_path, "--pareto", "12", "--aims", "diversity", "fairness", "--listeners", "20") == 0
    found = rows(tmp_path)
    assert len(found) == 12
    most = max(found, key=lambda row: float(row["ndcg"]))
    assert "diversity" in most["pareto"].split()
    assert {"pareto-diversity.svg", "pareto-fairness.svg"} <= {path.name for path in tmp_path.iterdir()}


def test_other_data_than_the_models_own_are_refused(trained: Path, tmp_path: Path) -> None:
    make_dataset(tmp_path, songs=100, listeners=50, events_per_listener=10, seed=4)
    with pytest.raises(CommandError, match="other data"):
        main([str(trained), "--interactions", str(tmp_path / "interactions"), "--output", str(tmp_path / "out")])
    with pytest.raises(CommandError, match="no such file"):
        main([str(trained), "--interactions", str(tmp_path / "nothing"), "--output", str(tmp_path / "out")])
    with pytest.raises(CommandError, match="--pareto"):
        tradeoffs(trained, tmp_path / "out", "--pareto", "2")


@given(values=st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=12))
def test_a_point_is_dominated_if_another_reaches_it_everywhere_and_beats_it_somewhere(values: list[tuple[int, ...]]) -> None:
    expected = [not any(all(a >= b for a, b in zip(other, one, strict=True)) and other != one for other in values) for one in values]
    assert non_dominated(np.array(values, dtype=float)).tolist() == expected


@given(terms=st.integers(2, 5), n=st.integers(5, 60))
def test_weights_are_on_the_simplex_and_have_its_corners_among_them(terms: int, n: int) -> None:
    points = simplex_points(terms, n, seed=1)
    assert points.shape == (n, terms)
    assert (points >= 0).all()
    np.testing.assert_allclose(points.sum(axis=1), 1)
    assert {tuple(row) for row in np.eye(terms).tolist()} <= {tuple(row) for row in points.tolist()}


def test_a_plot_of_equal_values_is_still_a_plot() -> None:
    root = ElementTree.fromstring(plot("a < b", [Point(1, 0, "off"), Point(1, 0, "<1>")], "x", "y"))
    assert len(root.findall(".//{http://www.w3.org/2000/svg}circle")) == 2

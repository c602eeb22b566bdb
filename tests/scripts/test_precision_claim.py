"""What the claim is held against is measured as it is described, with what chance would get."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.artifact import load
from inference.request import Request
from scripts import precision_claim
from scripts.command_line import CommandError
from scripts.make_dataset import make_dataset
from scripts.precision_claim import Figure
from training import pipeline
from training.config import TrainingConfig
from training.evaluation.bootstrap import Estimate

SETTINGS = {"models": "item_knn,content,popularity", "evaluation_details": "true", "evaluation_bootstrap_samples": "50"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("trained")
    make_dataset(base, songs=300, listeners=250, events_per_listener=20, seed=3)
    channels = {"interactions": base / "interactions", "items": base / "items"}
    pipeline.run(TrainingConfig.from_hyperparameters(SETTINGS), channels, base / "model", base / "output")
    return base


@pytest.fixture(scope="module")
def figures(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    path = tmp_path_factory.mktemp("claim") / "claim.json"
    assert precision_claim.main([str(trained), "--seeds", "80", "--json", str(path)]) == 0
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["figures"]
    return found


def one(figures: list[dict[str, Any]], protocol: str, model: str = "hybrid") -> dict[str, Any]:
    return next(figure for figure in figures if protocol in figure["protocol"] and figure["model"] == model)


def test_agreement_in_genre_is_counted_song_by_song(trained: Path, figures: list[dict[str, Any]]) -> None:
    model = load(trained / "model")
    assert model.features is not None
    genres = [set(model.features["genres"].value(number) or ()) for number in range(len(model.items))]
    known = [number for number, names in enumerate(genres) if names]
    seeds = sorted(np.random.default_rng(42).permutation(np.array(known))[:80].tolist())
    shares = []
    for seed in seeds:
        songs = model.with_model("content").rank(Request(items=(model.items.id(seed),), num_recommendations=10))
        shares.append(np.mean([bool(genres[song] & genres[seed]) for song in songs.tolist()]))
    assert one(figures, "a genre of the seed", "content")["mean"] == pytest.approx(np.mean(shares), abs=1e-6)


def test_the_strict_precision_is_the_reports_and_its_ceiling_is_that_of_few_hidden_songs(
    trained: Path, figures: list[dict[str, Any]]
) -> None:
    strict = one(figures, "all songs ranked: precision@10")
    report = json.loads((trained / "output" / "evaluation.json").read_text(encoding="utf-8"))["holdout"]["models"]["hybrid"]
    assert strict["mean"] == pytest.approx(report["precision_at_10"]["mean"], abs=1e-6)
    assert strict["mean"] <= strict["ceiling"] < 1
    assert strict["claim_holds"] == "no"


def test_sampled_figures_flatter_and_chance_says_by_how_much(figures: list[dict[str, Any]]) -> None:
    assert one(figures, "first 10 among 99")["random"] == pytest.approx(0.1)
    assert one(figures, "first 5 among 9 ")["mean"] > one(figures, "all songs ranked: precision@10")["mean"]
    for figure in figures:
        assert 0 <= figure["random"] <= 1
        assert figure["low"] <= figure["mean"] <= figure["high"]


@pytest.mark.parametrize(("low", "high", "verdict"), [(0.86, 0.9, "yes"), (0.8, 0.9, "about"), (0.2, 0.3, "no")])
def test_the_claim_holds_where_the_whole_interval_is_above_it(low: float, high: float, verdict: str) -> None:
    assert Figure("p", "m", Estimate((low + high) / 2, low, high), 0.1).verdict == verdict


def test_without_a_model_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"model\.json"):
        precision_claim.main([str(tmp_path)])

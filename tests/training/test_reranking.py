"""Defaults of filters and re-ranking: from hyperparameters into the model, and out of it into answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference.artifact import load, read_model_json, save
from inference.errors import ArtifactError
from inference.request import parse_request
from inference.rerank.defaults import Defaults
from scripts.make_dataset import make_dataset
from tests.inference.models import make_recommender
from training import pipeline
from training.config import ConfigError, RerankConfig, TrainingConfig
from training.data.errors import UserDataError
from training.reranking import rerank_defaults

ASKED = {
    "filter": {"explicit": False},
    "boosts": [{"filter": {"popularity": {"lt": 50}}, "factor": 1.5}],
    "max_per_artist": 1,
    "diversity": 0.2,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("world")
    make_dataset(folder, songs=200, listeners=100, events_per_listener=12, seed=3)
    return {"interactions": folder / "interactions", "items": folder / "items"}


def settings(**hyperparameters: str) -> TrainingConfig:
    return TrainingConfig.from_hyperparameters({"models": "item_knn", "evaluation_bootstrap_samples": "20", **hyperparameters})


def test_what_is_configured_is_applied_where_a_request_is_silent(world: dict[str, Path], tmp_path: Path) -> None:
    texts = {f"rerank_{name}": json.dumps(value) for name, value in ASKED.items()}
    pipeline.run(settings(**texts, rerank_candidates="50"), world, tmp_path / "model", tmp_path / "output")
    model = load(tmp_path / "model", verify=True)
    assert read_model_json(tmp_path / "model")["rerank"] == {**ASKED, "candidates": 50}
    silent = model.recommend(parse_request({"user_id": model.users.id(3)})).to_json()
    asked = model.recommend(parse_request({"user_id": model.users.id(3), **ASKED})).to_json()
    off = {"filter": {}, "boosts": [], "max_per_artist": 0, "diversity": 0}
    plain = model.recommend(parse_request({"user_id": model.users.id(3), **off})).to_json()
    assert silent == asked != plain


def test_a_model_without_defaults_says_nothing_of_them(tmp_path: Path) -> None:
    save(make_recommender(), tmp_path, {})
    assert "rerank" not in read_model_json(tmp_path)
    assert load(tmp_path).defaults == Defaults()
    assert rerank_defaults(RerankConfig()) == Defaults()


@pytest.mark.parametrize(
    ("hyperparameters", "words"),
    [
        ({"rerank_filter": "[1]"}, "'filter' must be an object"),
        ({"rerank_boosts": '[{"factor": 2}]'}, r"'boosts\[0\]' must have"),
        ({"rerank_filter": '{"explicitt": false}'}, 'Did you mean "explicit"'),
        ({"rerank_max_per": "year=1"}, "only a column of names"),
    ],
)
def test_a_default_that_cannot_be_is_refused_before_anything_is_fitted(
    world: dict[str, Path], tmp_path: Path, hyperparameters: dict[str, str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserDataError, match=words):
        pipeline.run(settings(**hyperparameters), world, tmp_path / "model", tmp_path / "output")
    assert "fit_item_knn" not in capfd.readouterr().out


def test_what_is_no_json_is_refused_with_the_other_settings() -> None:
    with pytest.raises(ConfigError) as caught:
        settings(rerank_filter="explicit=false", rerank_boosts="[", rerank_max_per='{"album": 1}')
    assert len(caught.value.mistakes) == 2
    assert "rerank_filter" in str(caught.value)


def test_without_a_catalogue_a_default_that_needs_one_is_refused(world: dict[str, Path], tmp_path: Path) -> None:
    events = {"interactions": world["interactions"]}
    with pytest.raises(UserDataError, match="needs a catalogue"):
        pipeline.run(settings(rerank_max_per_artist="1"), events, tmp_path / "model", tmp_path / "output")


@pytest.mark.parametrize("damage", [{"diversity": 7}, {"beauty": 1}, {"candidates": "many"}, {"head_share": -1}, [1], "x"])
def test_damaged_defaults_are_damage_of_the_model(tmp_path: Path, damage: object) -> None:
    save(make_recommender(), tmp_path, {})
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rerank": damage}))
    with pytest.raises(ArtifactError, match=r"model\.json is damaged"):
        load(tmp_path)

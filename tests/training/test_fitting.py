"""Weights and settings are found on validation, or given; the hybrid is compiled into one operator."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.artifact import load
from inference.history import History
from inference.scorers import HybridScorer
from tests.training.trainers.data import catalogue, dense
from training import pipeline
from training.candidates import Workshop, fit_model
from training.config import ConfigError, TrainingConfig
from training.data.config import FeaturesConfig
from training.data.dataset import Dataset, Interactions
from training.features import fit_transform
from training.fitting import Fitted, fit
from training.split import Case, split_interactions
from training.trainers import hybrid
from training.trainers.pool import Pool

LISTENERS, SONGS, EACH, DAY = 160, 24, 8, 86_400
MANY = {"split_validation_fraction": "0.4", "als_factors": "8", "als_iterations": "3", "evaluation_k": "3"}


def taste_world(described: bool = False, listeners: int = LISTENERS) -> Dataset:
    """Even listeners play even songs, odd ones odd songs; what a catalogue says of the songs has nothing to do with it."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(listeners, dtype=np.int32), EACH)
    items = np.concatenate([np.sort(2 * rng.choice(SONGS // 2, EACH, replace=False) + user % 2) for user in range(listeners)])
    energy, years = rng.random(SONGS), rng.integers(1960, 2020, SONGS)
    told = catalogue([f"a{n}" for n in rng.integers(0, 12, SONGS)], ["rock"] * SONGS, energy.tolist(), years.tolist())
    return Dataset(
        np.array([f"s{song:02}" for song in range(SONGS)], dtype=object),
        np.array([f"u{user:03}" for user in range(listeners)], dtype=object),
        Interactions(users, items.astype(np.int32), np.ones(len(users), dtype=np.float32)),
        told if described else None,
    )


def fitted(dataset: Dataset, **hyperparameters: str) -> tuple[Fitted, TrainingConfig]:
    config = TrainingConfig.from_hyperparameters({**MANY, **hyperparameters})
    told = dataset.catalogue
    features = None if told is None else fit_transform(told, FeaturesConfig(), np.ones(len(told), dtype=bool), seed=1)
    user_items = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    split = split_interactions(user_items, dataset.interactions.timestamps, config.split, config.seed, hold_out_test=True)
    return fit(config, Workshop(dataset, features, user_items, 1), split), config


def some_histories() -> list[History]:
    rng = np.random.default_rng(8)
    return [History.of(rng.choice(SONGS, n, replace=False), rng.uniform(0.5, 2, n)) for n in (0, 1, 2, 5, 10)]


def test_without_tuning_every_model_is_kept_with_its_quality_and_the_settings_as_they_are() -> None:
    found, config = fitted(taste_world(), models="popularity,ease,item_knn")
    assert set(found.scorers) == {"popularity", "ease", "item_knn"}
    assert set(found.validation) == {"popularity", "ease", "item_knn", "hybrid"}
    assert found.validation["hybrid"] >= max(found.validation.values())
    assert found.validation["ease"] > 1.2 * found.validation["popularity"]
    assert found.config == config


def test_tuning_drops_models_that_do_not_help_but_never_popularity_and_content() -> None:
    models = "popularity,item_knn,pearson,graph,ease,als,content"
    found, _ = fitted(taste_world(described=True), models=models, tune="auto", tune_minutes="0.5")
    helpful = {name for name, weight in found.hybrid.weights.items() if weight > 0}
    assert set(found.scorers) == helpful | {"popularity", "content"}
    assert len(found.scorers) < len(models.split(","))
    assert found.validation["popularity"] < 0.8 * found.validation["hybrid"]
    assert found.validation["content"] < 0.8 * found.validation["hybrid"]
    assert found.hybrid.weights["content"] > 0  # no other knows songs without listeners


@pytest.mark.parametrize(("asked", "again"), [("20", False), ("400", True)])
def test_slow_models_are_fitted_again_only_where_validation_hid_enough_to_matter(asked: str, again: bool) -> None:
    world = taste_world(listeners=400)
    hyperparameters = {"models": "ease,popularity", "split_kind": "random", "split_test_fraction": "0", "split_validation_fraction": "0.1"}
    found, config = fitted(world, split_max_validation_listeners=asked, **hyperparameters)
    split = split_interactions(world.interactions.user_items(400, SONGS), None, config.split, config.seed, hold_out_test=True)
    workshop = Workshop(world, None, world.interactions.user_items(400, SONGS), 1)
    for name, matrix in (("ease", split.relearn if again else split.learn), ("popularity", split.relearn)):
        expected = fit_model(config, workshop.data(config, matrix), name).arrays()
        assert {key: array.tolist() for key, array in found.scorers[name].arrays().items()} == {
            key: array.tolist() for key, array in expected.items()
        }


def test_given_shares_are_scaled_to_the_scores_and_nothing_is_looked_for() -> None:
    found, config = fitted(taste_world(), models="popularity,ease,item_knn", hybrid_weights='{"ease": 3, "item_knn": 1}')
    assert found.validation == {}
    assert found.config == config
    assert set(found.scorers) == {"popularity", "ease", "item_knn"}
    assert set(found.hybrid.weights) == {"ease", "item_knn"}
    dataset = taste_world()
    user_items = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    split = split_interactions(user_items, None, config.split, config.seed, hold_out_test=True)
    rows, nobody = split.relearn.tolil().rows, np.empty(0, dtype=np.int32)
    learned = [Case(user, np.array(row, dtype=np.int32), nobody) for user, row in enumerate(rows) if row]
    scales = Pool.of(found.scorers, learned, 200).scales()
    shares = {name: weight * scales[name] for name, weight in found.hybrid.weights.items()}
    assert shares == {"ease": pytest.approx(0.75, rel=0.01), "item_knn": pytest.approx(0.25, rel=0.01)}


def test_with_too_few_listeners_the_default_shares_are_taken() -> None:
    found, _ = fitted(taste_world(), models="ease,item_knn,graph", split_validation_fraction="0.05")
    assert found.validation == {}
    assert set(found.hybrid.weights) == {"ease", "item_knn", "graph"}
    assert hybrid.MIN_CASES > 0.05 * LISTENERS


@pytest.mark.parametrize("weights", ['{"ease": 1, "als": 1}', '{"ease": 0, "item_knn": 0}', '{"ease": -1}'])
def test_shares_that_cannot_be_meant_are_refused_by_name(weights: str) -> None:
    with pytest.raises(ConfigError, match="hybrid_weights"):
        TrainingConfig.from_hyperparameters({"models": "ease,item_knn", "hybrid_weights": weights})


def test_where_nothing_was_cut_the_compiled_hybrid_answers_as_its_parts_do() -> None:
    shares = {"hybrid_weights": '{"item_knn": 1, "graph": 2, "als": 1}'}
    found, _ = fitted(taste_world(), models="popularity,item_knn,graph,als", **shares)
    parts = HybridScorer(found.scorers, found.hybrid.weights)
    assert found.hybrid.compiled is not None
    for history in some_histories():
        np.testing.assert_allclose(found.hybrid.scores(history), parts.scores(history), rtol=1e-5, atol=1e-7)
        one, other = (scorer.contributions_by_model(history, np.arange(SONGS)) for scorer in (found.hybrid, parts))
        assert one.keys() == other.keys()
        for name, contributions in one.items():
            np.testing.assert_allclose(contributions, other[name], rtol=1e-5, atol=1e-7)


def test_the_operator_is_the_weighted_sum_of_the_item_to_item_models_without_what_speaks_against_a_song() -> None:
    found, _ = fitted(taste_world(), models="ease,item_knn,als", hybrid_weights='{"ease": 2, "item_knn": 1, "als": 1}')
    assert found.hybrid.compiled is not None
    total = sum(found.hybrid.weights[name] * dense(found.scorers[name]) for name in ("ease", "item_knn"))
    np.testing.assert_allclose(dense(found.hybrid.compiled), np.maximum(total, 0), rtol=1e-5, atol=1e-7)


def test_there_is_no_operator_where_none_is_asked_for_or_there_is_nothing_to_add_up() -> None:
    shares = '{"ease": 1, "item_knn": 1}'
    assert fitted(taste_world(), models="ease,item_knn", hybrid_weights=shares, hybrid_compile="false")[0].hybrid.compiled is None
    assert fitted(taste_world(), models="ease,als", hybrid_weights='{"ease": 1, "als": 1}')[0].hybrid.compiled is None


def test_an_operator_that_is_found_keeps_the_quality_of_the_hybrid() -> None:
    found, config = fitted(taste_world(), models="ease,item_knn,pearson,graph", seed="3")
    assert found.hybrid.compiled is not None  # on this seed several models share the weight
    dataset = taste_world()
    user_items = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    split = split_interactions(user_items, None, config.split, config.seed, hold_out_test=True)
    pool = Pool.of({**found.scorers, "hybrid": found.hybrid}, split.test, 200)  # type: ignore[dict-item]
    parts = pool.quality(found.hybrid.weights, 3, "ndcg")
    assert pool.quality({"hybrid": 1.0}, 3, "ndcg") == pytest.approx(parts, rel=0.02)


def trend_world(folder: Path) -> dict[str, Path]:
    """All have played the old songs, long ago; lately everybody turns to new ones. Only a half-life ranks these first."""
    rng, rows = np.random.default_rng(1), ["USER_ID,ITEM_ID,TIMESTAMP"]
    for user in range(200):
        for song in rng.choice(40, 25, replace=False).tolist():
            rows.append(f"u{user:03},old{song:02},{DAY * int(rng.integers(0, 30))}")
        for song in rng.choice(15, 6, replace=False).tolist():
            rows.append(f"u{user:03},new{song:02},{DAY * int(rng.integers(1000, 1030))}")
    (folder / "events.csv").write_text("\n".join(rows) + "\n")
    return {"interactions": folder / "events.csv"}


def test_a_setting_that_is_found_is_what_the_model_is_fitted_with_and_what_model_json_says(tmp_path: Path) -> None:
    channels = trend_world(tmp_path)
    settings = {"models": "popularity", "split_kind": "time", "evaluation_k": "5", "evaluation_bootstrap_samples": "10"}
    config = TrainingConfig.from_hyperparameters({**settings, "tune": "auto", "tune_minutes": "0.5"})
    dataset = pipeline.extract(channels, config)
    user_items = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    split = split_interactions(user_items, dataset.interactions.timestamps, config.split, config.seed, hold_out_test=True)
    found = fit(config, Workshop(dataset, None, user_items, 1), split)
    half_life = found.config.popularity.half_life_days
    assert 0 < half_life < 500
    assert found.config == replace(config, popularity=replace(config.popularity, half_life_days=half_life))

    pipeline.run(config, channels, tmp_path / "model", tmp_path / "output")
    kept = json.loads((tmp_path / "model" / "model.json").read_text())["configuration"]
    assert kept["popularity_half_life_days"] == half_life
    again = TrainingConfig.from_hyperparameters({**settings, "popularity_half_life_days": str(half_life)})
    pipeline.run(again, channels, tmp_path / "again", tmp_path / "output2")
    for folder in ("model", "again"):
        np.testing.assert_array_equal(load(tmp_path / folder).popularity, found.scorers["popularity"].arrays()["popularity"])

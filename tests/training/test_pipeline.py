"""From channels to a model that answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inference.artifact import load
from inference.history import WEIGHTINGS
from inference.recommender import Recommender
from inference.request import Event, Request
from scripts.make_dataset import make_dataset
from training import pipeline
from training.candidates import Workshop
from training.config import MODELS, TrainingConfig
from training.data import config
from training.data.errors import UserDataError

FAST = {"als_factors": "16", "als_iterations": "4", "evaluation_bootstrap_samples": "50"}


def train(base: Path, channels: dict[str, Path], **hyperparameters: str) -> Recommender:
    settings = TrainingConfig.from_hyperparameters({**FAST, **hyperparameters})
    pipeline.run(settings, channels, base / "model", base / "output", threads=2)
    return load(base / "model", verify=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("world")
    make_dataset(folder, songs=800, listeners=600, events_per_listener=30, seed=3)
    return {"interactions": folder / "interactions", "items": folder / "items"}


@pytest.fixture(scope="module")
def trained(world: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("trained")
    train(base, world)
    return base


def measured(base: Path, source: str = "holdout") -> dict[str, float]:
    models = json.loads((base / "output" / "evaluation.json").read_text())[source]["models"]
    return {name: values["recall_at_20"]["mean"] for name, values in models.items()}


def test_the_hybrid_knows_taste_and_popularity_does_not(trained: Path) -> None:
    recall = measured(trained)
    # nobody is called anything, cease does what ease does, and the others are trained when they are asked for
    assert set(recall) == {"hybrid", *MODELS} - {"words", "ease", "graph", "spectral"}
    assert recall["hybrid"] > 2 * recall["popularity"]
    assert recall["hybrid"] > 0.9 * max(recall.values())


def test_what_is_evaluated_is_what_ships(trained: Path) -> None:
    report = json.loads((trained / "output" / "evaluation.json").read_text())
    assert load(trained / "model").info["metrics"] == report


def test_all_listeners_are_known_also_those_held_out(trained: Path, world: dict[str, Path]) -> None:
    model = load(trained / "model")
    lines = (world["interactions"] / "events.csv").read_text(encoding="utf-8").splitlines()[1:]
    listeners = {line.split(",")[0] for line in lines}
    assert {model.users.id(n) for n in range(len(model.users))} == listeners
    answers = [model.recommend(Request(user_id=listener)) for listener in sorted(listeners)[:50]]
    assert all(answer.fallback is None for answer in answers)


def test_a_song_that_nobody_has_played_can_be_recommended(trained: Path) -> None:
    model = load(trained / "model")
    new = np.flatnonzero(model.listeners == 0)
    assert len(new)
    seeds = [model.items.id(n) for n in new[:5].tolist()]
    everything = [model.rank(Request(items=(seed,), num_recommendations=200)) for seed in seeds]
    assert any(np.isin(new, answer).any() for answer in everything)


def test_the_same_input_and_seed_give_the_same_bytes(trained: Path, world: dict[str, Path], tmp_path: Path) -> None:
    train(tmp_path, world)
    first = {path.name: path.read_bytes() for path in (trained / "model").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()} == first


def test_another_seed_holds_out_other_listeners(trained: Path, world: dict[str, Path], tmp_path: Path) -> None:
    assert train(tmp_path, world, seed="5", models="popularity,item_knn").version != load(trained / "model").version


def test_nothing_is_left_of_the_writing_and_nothing_is_called_manifest_json(trained: Path) -> None:
    names = {path.name for path in (trained / "model").iterdir()}
    assert not [name for name in names if name.startswith(".") or name.lower() == "manifest.json"]
    assert {"model.json", "model_card.md"} <= names


def test_a_catalogue_without_events_trains_by_content_alone(world: dict[str, Path], tmp_path: Path) -> None:
    model = train(tmp_path, {"items": world["items"]})
    answer = model.recommend(Request(items=(model.items.id(0),), explain=True))
    assert list(model.hybrid.weights) == ["content", "similar_songs"]  # the catalogue names some
    assert answer.fallback == "content"
    assert len(answer.recommendations) == 10
    assert "reason" in json.loads((tmp_path / "output" / "evaluation.json").read_text())


def test_events_without_a_catalogue_train_without_content(world: dict[str, Path], tmp_path: Path) -> None:
    model = train(tmp_path, {"train": world["interactions"]}, models="ease,content,popularity")
    assert set(model.scorers) == {"ease", "popularity"}
    assert measured(tmp_path)["ease"] > 2 * measured(tmp_path)["popularity"]


def test_one_model_alone_is_the_hybrid(world: dict[str, Path], tmp_path: Path) -> None:
    model = train(tmp_path, world, models="item_knn")
    assert dict(model.hybrid.weights) == {"item_knn": 1.0}
    assert measured(tmp_path)["hybrid"] == measured(tmp_path)["item_knn"]


def test_a_test_channel_is_what_is_measured_and_nobody_else_is_held_out(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", [(f"u{u}", f"s{2 * i + u % 2}") for u in range(30) for i in range(8) if i != u // 4])
    write(tmp_path / "test.csv", [(f"u{u}", f"s{2 * (u // 4) + u % 2}") for u in range(30)])
    channels = {"interactions": tmp_path / "train.csv", "test": tmp_path / "test.csv"}
    train(tmp_path, channels, models="ease", evaluation_k="1,2")
    report = json.loads((tmp_path / "output" / "evaluation.json").read_text())
    assert report["test"]["listeners"] == 30
    assert report["test"]["models"]["hybrid"]["recall_at_1"]["mean"] == 1.0


@pytest.mark.parametrize("rows", [[("u", "s")], [("u", "s"), ("u", "t")], [("u", "s"), ("v", "s")], [(f"u{i}", "s") for i in range(40)]])
def test_the_smallest_data_train_and_answer(rows: list[tuple[str, str]], tmp_path: Path) -> None:
    write(tmp_path / "events.csv", rows)
    model = train(tmp_path, {"interactions": tmp_path / "events.csv"})
    assert model.recommend(Request(items=("s",))).model_version == model.version
    assert model.items.id(int(model.rank(Request(user_id="nobody"))[0])) == "s"


def test_an_interactions_channel_without_a_usable_event_is_refused(world: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserDataError, match="interactions"):
        train(tmp_path, {"interactions": tmp_path / "empty", "items": world["items"]})
    assert not (tmp_path / "model" / "model.json").exists()


def test_models_that_the_data_cannot_train_are_refused_in_one_sentence(world: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UserDataError, match="content"):
        train(tmp_path, {"interactions": world["interactions"]}, models="content")


def write(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text("USER_ID,ITEM_ID\n" + "".join(f"{user},{song}\n" for user, song in rows), encoding="utf-8")


def test_training_and_serving_know_the_same_weightings() -> None:
    assert config.WEIGHTINGS == WEIGHTINGS


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_fresh_events_weigh_in_a_request_what_they_weigh_in_training(weighting: str, tmp_path: Path) -> None:
    events = [("play", 2.0), ("LIKE", 3.0), ("skip", 1.0), ("play", 0.5)]
    lines = [f"{user},s,{kind},{value}\n" for user in ("u", "v") for kind, value in events]
    (tmp_path / "events.csv").write_text("USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE\n" + "".join(lines), encoding="utf-8")
    settings = {"data_event_weights": '{"like": 2, "Skip": -0.5}', "data_min_event_value": "1", "data_weighting": weighting}
    model = train(tmp_path, {"interactions": tmp_path / "events.csv"}, models="popularity", **settings)
    stored = model.history(Request(user_id="u"))
    sent = model.history(Request(events=tuple(Event("s", kind, value) for kind, value in events)))
    assert stored.weights.tolist() == pytest.approx(sent.weights.tolist())
    assert len(stored) == 1


def test_weights_that_overflow_end_the_job_and_are_never_saved(tmp_path: Path) -> None:
    rows = [f"u{user},s{(user + song) % 40},{'1e300' if song % 2 else 3}" for user in range(50) for song in range(10)]
    (tmp_path / "events.csv").write_text("USER_ID,ITEM_ID,EVENT_VALUE\n" + "\n".join(rows), encoding="utf-8")
    settings = TrainingConfig.from_hyperparameters({"data_weighting": "value", "models": "ease"})
    with np.errstate(all="ignore"), pytest.raises(UserDataError, match="data_weighting"):
        pipeline.run(settings, {"interactions": tmp_path / "events.csv"}, tmp_path / "model", tmp_path / "output")
    assert not (tmp_path / "model" / "model.json").exists()


@pytest.mark.parametrize("validation", ["0", "0.1"])
def test_nothing_of_the_test_listeners_reaches_the_fitted_model_or_its_weights(validation: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = [(f"u{user}", f"s{song}") for user in range(40) for song in rng.choice(60, 12, replace=False).tolist()]
    (tmp_path / "events.csv").write_text("USER_ID,ITEM_ID\n" + "\n".join(map(",".join, rows)), encoding="utf-8")
    settings = TrainingConfig.from_hyperparameters({"split_validation_fraction": validation, "als_factors": "8"})
    dataset = pipeline.extract({"interactions": tmp_path / "events.csv"}, settings)
    user_items = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    split = pipeline.split_interactions(user_items, None, settings.split, settings.seed, hold_out_test=True)
    other = user_items.toarray()
    for case in split.test:
        other[case.user] = rng.permutation(other[case.user])

    again = pipeline.split_interactions(type(user_items)(other), None, settings.split, settings.seed, hold_out_test=True)

    before = pipeline.fit(settings, Workshop(dataset, None, user_items, 1), split)
    after = pipeline.fit(settings, Workshop(dataset, None, type(user_items)(other), 1), again)

    assert split.test
    assert before.hybrid.weights == after.hybrid.weights
    assert (before.hybrid.compiled is None) == (after.hybrid.compiled is None)
    if before.hybrid.compiled is not None and after.hybrid.compiled is not None:
        for array, values in before.hybrid.compiled.arrays().items():
            np.testing.assert_array_equal(values, after.hybrid.compiled.arrays()[array])
    for name, scorer in before.scorers.items():
        for array, values in scorer.arrays().items():
            np.testing.assert_array_equal(values, after.scorers[name].arrays()[array])


@pytest.mark.parametrize("kind", ["random", "time", "last", "song", "block"])
def test_each_split_ends_in_a_report_and_its_model_does_not_hold_what_was_to_be_found(
    kind: str, world: dict[str, Path], tmp_path: Path
) -> None:
    model = train(tmp_path, world, models="item_knn,content,popularity", split_kind=kind)
    report = json.loads((tmp_path / "output" / "evaluation.json").read_text())
    assert set(report) == ({"song_among_themselves", "song_among_all"} if kind == "song" else {"holdout"})
    assert all(one["models"]["hybrid"]["recall_at_20"]["mean"] > 0 for name, one in report.items() if name != "song_among_all")
    settings = TrainingConfig.from_hyperparameters({})
    dataset = pipeline.extract(world, settings)
    assert len(model.user_items.indices) < len(dataset.interactions)


def test_a_channel_that_is_not_read_is_named_in_the_log(world: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = TrainingConfig.from_hyperparameters({"models": "popularity"})
    with caplog.at_level("INFO", logger="training"):
        pipeline.run(settings, {"interactions": world["interactions"], "itmes": world["items"]}, tmp_path / "model", tmp_path / "output")
    assert any("channels_not_read" in line and "itmes" in line for line in caplog.messages)

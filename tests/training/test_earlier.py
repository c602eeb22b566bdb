"""An earlier model's settings and weights make a quick retrain; what cannot be continued is refused by name."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from inference.artifact import FORMAT_VERSION, load, read_model_json
from scripts.make_dataset import make_dataset
from training import pipeline
from training.config import ConfigError, TrainingConfig
from training.data.errors import UserDataError
from training.earlier import Earlier, read_earlier

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FIRST = {
    "models": "popularity,ease,item_knn,content",
    "ease_l2": "7.5",
    "seed": "5",
    "evaluation_k": "3,9",
    "evaluation_bootstrap_samples": "10",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("world")
    make_dataset(folder, songs=150, listeners=300, events_per_listener=20, seed=3)
    return {"interactions": folder / "interactions", "items": folder / "items"}


@pytest.fixture(scope="module")
def before(world: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("before")
    pipeline.run(TrainingConfig.from_hyperparameters(FIRST), world, folder / "model", folder / "output")
    return folder / "model"


def again(place: Path, channels: dict[str, Path], folder: Path, **given: str) -> dict[str, Any]:
    """Trains once more from the model in ``place`` and returns the new model's document."""
    earlier = read_earlier(place)
    pipeline.run(earlier.continued(given), channels, folder / "model", folder / "output", earlier=earlier)
    load(folder / "model", verify=True)
    return read_model_json(folder / "model")


def fits(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line.split("name=fit_")[1].split()[0] for line in caplog.messages if "name=fit_" in line]


def test_the_same_data_give_the_same_model_with_each_part_fitted_once(
    before: Path, world: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="training"):
        document = again(before, world, tmp_path)
    first = read_model_json(before)
    assert document["model_version"] == first["model_version"]
    assert document["metrics"] == first["metrics"]
    assert sorted(fits(caplog)) == ["content", "ease", "item_knn", "popularity"]
    assert not [line for line in caplog.messages if "name=blend" in line]
    assert document["lineage"]["earlier_model"] == first["model_version"]


def test_new_data_are_learned_with_the_settings_and_weights_of_before(before: Path, tmp_path: Path) -> None:
    make_dataset(tmp_path / "more", songs=150, listeners=350, events_per_listener=20, seed=4)
    channels = {"interactions": tmp_path / "more" / "interactions", "items": tmp_path / "more" / "items"}
    document, first = again(before, channels, tmp_path), read_model_json(before)
    assert document["hybrid"]["weights"] == first["hybrid"]["weights"]
    assert document["data"]["listeners"] > first["data"]["listeners"]
    assert (document["configuration"]["ease_l2"], document["configuration"]["evaluation_k"]) == (7.5, [3, 9])


def test_what_the_job_gives_wins_and_how_the_machine_is_used_is_its_own(before: Path) -> None:
    config = read_earlier(before).continued({"ease_l2": "3", "seed": "9"})
    assert (config.ease.l2, config.seed, config.evaluation.k) == (3.0, 9, (3, 9))
    assert config.models == ("popularity", "item_knn", "ease", "content")
    settings = read_model_json(before)["configuration"] | {"threads": 7, "tune": "auto", "data_engine": "dask"}
    config = Earlier("v", settings, ("ease",), {"ease": 1.0}, None).continued({})
    assert (config.threads, config.tune, config.data.engine) == (0, "none", "auto")
    with pytest.raises(ConfigError, match="ease_l2"):
        read_earlier(before).continued({"ease_l2": "-1"})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"tune": "auto"}, "tune=auto"),
        ({"hybrid_weights": '{"ease": 1}'}, "hybrid_weights are given"),
        ({"models": "ease,graph"}, "the earlier model has no graph"),
        ({"models": "popularity,content"}, ""),
    ],
)
def test_weights_are_taken_only_where_they_fit(before: Path, given: dict[str, str], reason: str, caplog: pytest.LogCaptureFixture) -> None:
    earlier = Earlier("v", read_earlier(before).settings, ("ease", "popularity", "content"), {"ease": 1.0, "content": 0.2}, 100)
    config = earlier.continued(given)
    with caplog.at_level("INFO", logger="training"):
        weights = earlier.weights_for(config.models, config)
    assert weights == (None if reason else {"popularity": 0.0, "content": 0.2})
    assert reason in caplog.messages[-1]
    assert config.ease.l2 == 7.5


def test_a_model_whose_training_was_stopped_gives_settings_and_no_weights() -> None:
    stopped = Earlier("v", {"models": ["ease", "als"], "ease_l2": 3.0}, ("ease",), {"ease": 1.0}, None, searched=False)
    assert (stopped.continued({}).models, stopped.continued({}).ease.l2) == (("ease", "als"), 3.0)
    config = TrainingConfig.from_hyperparameters({"models": "ease"})
    assert Earlier("v", {}, ("ease",), {"ease": 1.0}, None, searched=False).weights_for(["ease"], config) is None


def test_where_no_model_with_a_weight_is_left_weights_are_found_anew(before: Path) -> None:
    config = TrainingConfig.from_hyperparameters({"models": "ease"})
    assert Earlier("v", {}, ("ease", "content"), {"content": 1.0}, None).weights_for(["ease"], config) is None


@pytest.mark.parametrize("form", ["folder", "folder below", "archive", "archive with a folder", "the file itself"])
def test_a_model_is_found_as_a_folder_and_as_an_archive(before: Path, tmp_path: Path, form: str) -> None:
    place = tmp_path / "channel"
    if form.startswith("folder"):
        shutil.copytree(before, place / "nested" if form == "folder below" else place)
    else:
        place.mkdir()
        with tarfile.open(place / "model.tar.gz", "w:gz") as archive:
            archive.add(before, arcname="model" if form == "archive with a folder" else ".")
    found = read_earlier(place / "model.tar.gz" if form == "the file itself" else place)
    assert found == read_earlier(before)


def test_models_of_older_formats_are_read() -> None:
    assert [read_earlier(GOLDEN / f"format-{n}").models for n in (1, 2)] == [("popularity", "ease", "als", "content")] * 2
    assert read_earlier(GOLDEN / "format-3").longest == 200


def changed(before: Path, place: Path, **entries: Any) -> Path:
    place.mkdir()
    (place / "model.json").write_text(json.dumps({**read_model_json(before), **entries}))
    return place


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"format_version": FORMAT_VERSION + 1}, f"has format_version {FORMAT_VERSION + 1}; this program reads up to {FORMAT_VERSION}"),
        ({"format_version": None}, "names no format_version"),
        ({"configuration": {"ease_lambda": 3}}, "has the settings ease_lambda, which this one does not know"),
        ({"configuration": {"ease_l2": -3}}, 'ease_l2="-3" must be'),
        ({"scorers": {"svd": {}}}, "svd"),
        ({"hybrid": 3}, "is damaged"),
    ],
)
def test_a_model_that_cannot_be_continued_is_refused_by_what_is_wrong(before: Path, tmp_path: Path, entries: Any, says: str) -> None:
    with pytest.raises(UserDataError, match="channel model: ") as raised:
        read_earlier(changed(before, tmp_path / "m", **entries)).continued({})
    assert says in str(raised.value)


def test_a_channel_without_one_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserDataError, match="there is none"):
        read_earlier(tmp_path)
    for name in ("a.tar.gz", "b.tar.gz"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserDataError, match=r"there are 2 \(a.tar.gz, b.tar.gz\)"):
        read_earlier(tmp_path)
    (tmp_path / "a.tar.gz").unlink()
    with pytest.raises(UserDataError, match="can't be read as an archive"):
        read_earlier(tmp_path)
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        archive.add(__file__, arcname="other.py")
    with pytest.raises(UserDataError, match=r"holds no model\.json"):
        read_earlier(tmp_path)

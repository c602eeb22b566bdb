"""A model on disk."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from inference.artifact import FORMAT_VERSION, load, save
from inference.errors import ArtifactError
from inference.request import Request
from inference.scorers import HybridScorer, ItemToItemScorer
from tests.inference.features.songs import raw_song
from tests.inference.models import SONGS, history_of, make_recommender

REQUEST = Request(user_id="u0", items=("s1", "s29"), explain=True, metadata=True)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save(make_recommender(), tmp_path, {"configuration": {"seed": 1}})
    return tmp_path


def test_a_loaded_model_answers_the_same_bits(model: Path) -> None:
    before, after = make_recommender(), load(model, verify=True)
    first, second = before.recommend(REQUEST), after.recommend(REQUEST)
    assert [(r.item_id, r.score, r.metadata) for r in first.recommendations] == [
        (r.item_id, r.score, r.metadata) for r in second.recommendations
    ]
    assert after.info["configuration"] == {"seed": 1}


def test_features_and_transforms_come_back(model: Path) -> None:
    before, after = make_recommender(), load(model, verify=True)
    assert before.features is not None
    assert after.features is not None
    assert after.transform is not None
    assert [after.features.row(song) for song in range(SONGS)] == [before.features.row(song) for song in range(SONGS)]
    assert [after.transform.features(raw_song(song)) for song in range(SONGS)] == [after.features.row(song) for song in range(SONGS)]
    assert isinstance(after.features["energy"].arrays()["values"].base, np.memmap)


def test_a_model_may_have_no_features(tmp_path: Path) -> None:
    save(dataclasses.replace(make_recommender(), features=None, transform=None), tmp_path, {})
    found = load(tmp_path, verify=True)
    assert found.features is found.transform is None
    assert not list(tmp_path.glob("features.*"))


def test_features_of_other_songs_are_refused(tmp_path: Path) -> None:
    save(dataclasses.replace(make_recommender(), features=make_recommender(n=SONGS + 1).features), tmp_path, {})
    with pytest.raises(ArtifactError, match="features does not fit"):
        load(tmp_path)


@pytest.mark.parametrize("part", ["features", "transform"])
@pytest.mark.parametrize("value", [[], {}, 7, "x", {"columns": [{"name": "../x", "kind": "number"}], "n_songs": 3}])
def test_damaged_settings_of_features_are_refused(model: Path, part: str, value: object) -> None:
    change(model, **{part: value})
    with pytest.raises(ArtifactError):
        load(model)


def test_arrays_are_memory_mapped_so_that_processes_share_them(model: Path) -> None:
    base = load(model).scorers["ease"].arrays()["values"]
    assert isinstance(base.base, np.memmap | type(base.base))
    maps = Path("/proc/self/maps")
    if maps.exists():
        recommender = load(model)
        assert "scorer.ease.values.npy" in maps.read_text()
        assert recommender.items.number("s1") == 1


def test_loaded_arrays_cannot_be_written_to(model: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        load(model).listeners[0] = 5


def test_saving_twice_gives_the_same_bytes_and_version(model: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("again")
    save(make_recommender(), other, {"configuration": {"seed": 1}})
    assert {p.name: p.read_bytes() for p in model.iterdir()} == {p.name: p.read_bytes() for p in other.iterdir()}


def test_a_compiled_hybrid_comes_back_bit_for_bit_and_its_arrays_are_checked(model: Path) -> None:
    before, after = make_recommender().hybrid, load(model, verify=True).hybrid
    assert before.compiled is not None
    assert after.compiled is not None
    for name, array in before.compiled.arrays().items():
        assert (after.compiled.arrays()[name] == array).all()
    for history in (history_of(), history_of(3), history_of(1, 4, 28)):
        assert (after.scores(history) == before.scores(history)).all()


def test_a_hybrid_without_an_operator_is_saved_without_one(tmp_path: Path) -> None:
    whole = make_recommender()
    save(dataclasses.replace(whole, hybrid=HybridScorer(whole.scorers, whole.hybrid.weights)), tmp_path, {})
    assert load(tmp_path, verify=True).hybrid.compiled is None
    assert not list(tmp_path.glob("compiled.*"))


def test_the_operator_is_part_of_the_version(model: Path, tmp_path: Path) -> None:
    whole = make_recommender()
    save(dataclasses.replace(whole, hybrid=HybridScorer(whole.scorers, whole.hybrid.weights)), tmp_path / "parts", {})
    assert load(tmp_path / "parts").version != load(model).version


@pytest.mark.parametrize("array", ItemToItemScorer.ARRAYS)
def test_a_missing_array_of_the_operator_is_named(array: str, model: Path) -> None:
    (model / f"compiled.{array}.npy").unlink()
    with pytest.raises(ArtifactError, match=rf"compiled\.{array}\.npy is missing"):
        load(model)


def test_an_operator_that_model_json_does_not_list_is_refused_in_one_sentence(model: Path) -> None:
    document = json.loads((model / "model.json").read_text())
    change(model, arrays={name: entry for name, entry in document["arrays"].items() if not name.startswith("compiled.")})
    with pytest.raises(ArtifactError, match=r"compiled\.indptr"):
        load(model)


def test_an_operator_of_another_number_of_songs_is_refused(model: Path) -> None:
    indptr = np.load(model / "compiled.indptr.npy")[:-1]
    np.save(model / "compiled.indptr.npy", indptr)
    document = json.loads((model / "model.json").read_text())
    document["arrays"]["compiled.indptr"]["shape"] = list(indptr.shape)
    change(model, arrays=document["arrays"])
    with pytest.raises(ArtifactError, match="square"):
        load(model)


def test_a_different_model_has_a_different_version(model: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    save(make_recommender(seed=1), other, {})
    assert load(model).version != load(other).version


def test_no_file_is_called_manifest_json_or_needs_pickle(model: Path) -> None:
    for path in model.iterdir():
        assert path.name.lower() != "manifest.json"
        assert path.suffix in (".npy", ".json")
        if path.suffix == ".npy":
            np.load(path, allow_pickle=False)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"model\.json is missing"):
        load(tmp_path / "nothing")


def test_every_missing_array_is_named(model: Path) -> None:
    for path in sorted(model.glob("*.npy")):
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(ArtifactError, match=path.name):
            load(model)
        path.write_bytes(content)


def test_every_truncated_array_is_named(model: Path) -> None:
    for path in sorted(model.glob("*.npy")):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(ArtifactError, match=path.name):
            load(model)
        path.write_bytes(content)


def test_a_changed_byte_is_found_when_verified(model: Path) -> None:
    path = model / "scorer.ease.values.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"scorer\.ease\.values\.npy"):
        load(model, verify=True)


def test_an_array_of_another_shape_is_refused(model: Path) -> None:
    np.save(model / "items.listeners.npy", np.zeros(3, dtype=np.int32))
    with pytest.raises(ArtifactError, match=r"items\.listeners\.npy"):
        load(model)


def test_a_newer_format_is_refused_by_its_number(model: Path) -> None:
    change(model, format_version=FORMAT_VERSION + 1)
    with pytest.raises(ArtifactError, match=f"format_version {FORMAT_VERSION + 1}"):
        load(model)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format_version": "x"}', '{"format_version": 1}', "\x00"])
def test_a_broken_model_json_is_refused_in_one_sentence(model: Path, text: str) -> None:
    (model / "model.json").write_text(text)
    with pytest.raises(ArtifactError) as error:
        load(model)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["../../etc/passwd", "ease/../x", "Ease", ""])
def test_a_scorer_name_cannot_lead_out_of_the_folder(model: Path, name: str) -> None:
    document = json.loads((model / "model.json").read_text())
    document["scorers"][name] = document["scorers"].pop("als")
    (model / "model.json").write_text(json.dumps(document))
    with pytest.raises(ArtifactError):
        load(model)


def change(model: Path, **values: object) -> None:
    document = json.loads((model / "model.json").read_text())
    (model / "model.json").write_text(json.dumps({**document, **values}))


DAMAGE = [
    ("transform", "genres", "cluster_names", []),
    ("transform", "columns", []),
    ("transform", "names", "artist_separators", None),
    ("transform", "names", "columns", None),
    ("transform", "audio", "has_key", None),
    ("similarity", "artists", "weight", "much"),
    ("similarity", "release_year", "first", "long ago"),
    ("features", "n_songs", 1e400),
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: ".".join(map(str, damage[:-1])))
def test_settings_of_features_that_are_damaged_are_refused_when_the_model_is_opened(model: Path, damage: tuple[object, ...]) -> None:
    *path, last, value = damage
    document = json.loads((model / "model.json").read_text())
    inner = document
    for step in path:
        inner = inner[step]
    inner[last] = value
    (model / "model.json").write_text(json.dumps(document))
    with pytest.raises(ArtifactError, match=r"damaged|features"):
        load(model)


@pytest.mark.parametrize("name", ["features.artists.indices", "features.genres.indptr", "features.artists.names_offsets"])
def test_arrays_of_a_feature_that_do_not_fit_each_other_are_refused(model: Path, name: str) -> None:
    shorter = np.load(model / f"{name}.npy")[:-1]
    np.save(model / f"{name}.npy", shorter)
    document = json.loads((model / "model.json").read_text())
    document["arrays"][name]["shape"] = list(shorter.shape)
    (model / "model.json").write_text(json.dumps(document))
    with pytest.raises(ArtifactError):
        load(model)

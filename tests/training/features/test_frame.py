"""The stored features as pandas reads them: from the same files, with the same values."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from inference.artifact import load, save
from inference.errors import ArtifactError
from tests.inference.models import make_recommender
from training.features.frame import read_frame


def test_the_frame_has_the_values_of_the_store(tmp_path: Path) -> None:
    save(make_recommender(), tmp_path, {})
    store, frame = load(tmp_path).features, read_frame(tmp_path)
    assert store is not None
    assert frame.index.tolist() == [f"s{i}" for i in range(30)]
    assert frame.index.name == "item_id"
    for number in range(30):
        row, found = store.row(number), frame.iloc[number]
        for name in ("energy", "release_year", "explicit", "good_for_running", "album", "mood", "genre_cluster"):
            value = found[name]
            assert (None if pd.isna(value) else value) == row[name], name
        assert list(found["genres"]) == row["genres"]
        vector = [found[f"audio_{j}"] for j in range(15)]
        assert vector == row["audio"]
    assert list(
        dict.fromkeys(column.rsplit("_", 1)[0] if column.startswith(("audio_", "lyrics_")) else column for column in frame)
    ) == list(store)


def test_its_types_are_those_that_pandas_has_for_it(tmp_path: Path) -> None:
    save(make_recommender(), tmp_path, {})
    types = read_frame(tmp_path).dtypes
    assert types["energy"] == np.float32
    assert types["explicit"] == "boolean"
    assert types["album"] == "category"


def test_numbers_are_the_mapped_file_itself(tmp_path: Path) -> None:
    save(make_recommender(), tmp_path, {})
    frame = read_frame(tmp_path)
    maps = Path("/proc/self/maps")
    if maps.exists():
        assert "features.energy.values.npy" in maps.read_text()
    assert not frame["energy"].to_numpy().flags.writeable


def test_a_model_without_features_says_so(tmp_path: Path) -> None:
    save(dataclasses.replace(make_recommender(), features=None, transform=None), tmp_path, {})
    with pytest.raises(ArtifactError, match="no features"):
        read_frame(tmp_path)

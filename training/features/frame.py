"""The stored features as pandas reads them."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from inference import artifact
from inference.errors import ArtifactError
from inference.features.columns import CategoriesColumn, CategoryColumn, Column, FlagColumn, VectorColumn
from inference.texts import Texts


def read_frame(model_dir: Path) -> pd.DataFrame:
    """Returns a row for each song of the model in ``model_dir``, its id as the index ``item_id``.

    Numbers are float32, flags nullable booleans, names pandas categories, several names a tuple per song, and each dimension of a vector
    a column ("audio_0", "audio_1", ...). Numbers and vectors are the memory-mapped arrays of the files themselves, read-only.
    Raises ``ArtifactError`` where there is no model, or one without features.
    """
    recommender = artifact.load(model_dir)
    if recommender.features is None:
        raise ArtifactError(f"The model in {model_dir} has no features: it was trained without a catalogue, or by an older program.")
    index = pd.Index(_strings(recommender.items.texts), name="item_id")
    columns: dict[str, pd.Series] = {}
    for name, column in recommender.features.items():
        columns |= _series(name, column, index)
    return pd.DataFrame(columns, index=index, copy=False)


def _series(name: str, column: Column, index: pd.Index) -> dict[str, pd.Series]:
    if isinstance(column, VectorColumn):
        axes = range(column.values.shape[1])
        return {f"{name}_{j}": pd.Series(column.values[:, j], index=index, copy=False) for j in axes}
    if isinstance(column, FlagColumn):
        values = np.asarray(column.values)
        return {name: pd.Series(pd.arrays.BooleanArray(values == 1, values < 0), index=index)}
    if isinstance(column, CategoryColumn):
        codes = pd.Categorical.from_codes(column.codes, categories=pd.Index(_strings(column.names), dtype=object))
        return {name: pd.Series(codes, index=index)}
    if isinstance(column, CategoriesColumn):
        names = np.array([*_strings(column.names), None], dtype=object)[column.indices].tolist()
        bounds = column.indptr.tolist()
        lists = [tuple(names[start:stop]) for start, stop in itertools.pairwise(bounds)]
        return {name: pd.Series(lists, index=index, dtype=object)}
    return {name: pd.Series(np.asarray(column.arrays()["values"]), index=index, copy=False)}


def _strings(texts: Texts) -> list[str]:
    return [texts[number] for number in range(len(texts))]

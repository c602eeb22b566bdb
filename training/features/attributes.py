"""A catalogue in the form that the transforms take."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from inference.features.attributes import Attributes, Terms
from inference.features.columns import CategoriesColumn, CategoryColumn
from inference.features.describe import Names
from training.data.config import FeaturesConfig
from training.data.dataset import Catalogue


def attributes_of(catalogue: Catalogue, config: FeaturesConfig) -> Attributes:
    """Returns views of the catalogue's arrays where it can; nothing is fitted."""
    numbers = {name: np.ascontiguousarray(catalogue.audio[:, j]) for j, name in enumerate(catalogue.audio_names)}
    terms = {name: matrix for name, matrix in catalogue.terms.items() if name != "lyrics" or config.lyrics}
    return Attributes(
        n_songs=len(catalogue),
        artists=CategoriesColumn.of_lists(catalogue.artists),
        genres=CategoriesColumn.of_lists(catalogue.genres),
        keys=catalogue.keys,
        modes=catalogue.modes,
        numbers=numbers | {"year": catalogue.years, "popularity": catalogue.popularity} | catalogue.numbers,
        flags={"explicit": catalogue.explicit, **catalogue.flags},
        labels={name: CategoryColumn.of_names(labels.codes, labels.names) for name, labels in catalogue.labels.items()},
        terms={name: _terms(matrix) for name, matrix in terms.items()},
        vectors=dict(catalogue.vectors),
    )


def names_of(catalogue: Catalogue) -> Names:
    """Returns how the attributes of a new song may be called, and in which units they are."""
    own_labels = [name for name in catalogue.labels if f"categorical:{name}" in catalogue.columns]
    return Names(
        columns=dict(catalogue.columns),
        # The catalogue's factors may be written either way round; none of ours is between 0.1 and 10.
        divisors={name: float(factor if factor > 1 else 1 / factor) for name, factor in catalogue.units.items()},
        numeric=tuple(catalogue.numbers),
        categorical=tuple(own_labels),
        text=tuple(name for name in catalogue.terms if name != "lyrics"),
        embedding=tuple(catalogue.vectors),
        widths={name: vectors.shape[1] for name, vectors in catalogue.vectors.items()},
        artist_separators=catalogue.separators[0],
        genre_separators=catalogue.separators[1],
    )


def _terms(matrix: csr_array) -> Terms:
    return Terms(matrix.indptr.astype(np.int64, copy=False), matrix.indices.astype(np.int32, copy=False), matrix.data)

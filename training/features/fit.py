"""Fits all transforms on the train songs, and applies them to all songs."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inference.features.attributes import AUDIO, FLAGS, LABELS, Attributes
from inference.features.describe import Names
from inference.features.store import NAME, FeatureStore
from inference.features.text_vectors import TextTransform
from inference.features.transform import AUDIO_VECTOR, BUILT_IN, LYRICS, FeatureTransform, Own
from training.data.config import FeaturesConfig
from training.data.dataset import Catalogue
from training.features.attributes import attributes_of, names_of
from training.features.audio import fit_audio, mean_and_deviation
from training.features.genres import fit_genres
from training.features.texts import fit_text


def fit_transform(
    catalogue: Catalogue, config: FeaturesConfig, train: NDArray[np.bool_], seed: int
) -> tuple[FeatureTransform, FeatureStore]:
    """Returns the transform, fitted on the songs of ``train`` (bool (songs,)) only, and the features of all songs.

    A feature that no song of the catalogue has is left out.
    """
    attributes = attributes_of(catalogue, config)
    fitted = {name: fit_text(terms, train, config, seed) for name, terms in attributes.terms.items()}
    texts = {name: transform for name, transform in fitted.items() if transform is not None}
    audio = fit_audio(attributes, train)
    names = names_of(catalogue)
    own = _own_columns(attributes, names, texts, train)
    built_in = [name for name in BUILT_IN if PRESENT[name](attributes)]
    if audio.dimensions:
        built_in.append(AUDIO_VECTOR)
    if LYRICS in texts:
        built_in.append(LYRICS)
    transform = FeatureTransform(
        columns=(*built_in, *own),
        names=names,
        audio=audio,
        genres=fit_genres(attributes, train, config.genre_clusters),
        texts=texts,
        own=own,
    )
    return transform, transform.apply(attributes)


def _has_number(name: str) -> Callable[[Attributes], bool]:
    return lambda a: bool(np.isfinite(a.number(name)).any())


def _has_flag(name: str) -> Callable[[Attributes], bool]:
    return lambda a: name in a.flags and bool((a.flags[name] >= 0).any())


def _has_label(name: str) -> Callable[[Attributes], bool]:
    return lambda a: name in a.labels and bool((a.labels[name].codes >= 0).any())


def _has_mood(attributes: Attributes) -> bool:
    return (_has_number("valence")(attributes) and _has_number("energy")(attributes)) or _has_label("emotion")(attributes)


# Whether the catalogue has what a feature is made of.
PRESENT: dict[str, Callable[[Attributes], bool]] = {
    **{name: _has_number(name) for name in (*AUDIO, "popularity")},
    **{name: _has_number("year") for name in ("release_year", "decade")},
    "popularity_bucket": _has_number("popularity"),
    "key": lambda a: bool((a.keys >= 0).any()),
    "mode": lambda a: bool((a.modes >= 0).any()),
    "mood": _has_mood,
    "artists": lambda a: len(a.artists.names) > 0,
    **{name: lambda a: len(a.genres.names) > 0 for name in ("genres", "genre_cluster")},
    **{name: _has_label(name) for name in LABELS},
    **{name: _has_flag(name) for name in FLAGS},
    **{name: lambda a: False for name in (AUDIO_VECTOR, LYRICS)},  # told by what could be fitted
}


def _own_columns(attributes: Attributes, names: Names, texts: dict[str, TextTransform], train: NDArray[np.bool_]) -> dict[str, Own]:
    """Returns the columns that the user named, by names that files can have."""
    own: dict[str, Own] = {}
    for kind in ("numeric", "categorical", "text", "embedding"):
        for attribute in getattr(names, kind):
            if kind == "text" and attribute not in texts:
                continue
            moments = (0.0, 0.0)
            if kind == "numeric":
                moments = mean_and_deviation(attributes.numbers[attribute][train].astype(np.float64))
            own[column_name(attribute, {*BUILT_IN, *own})] = Own(kind, attribute, *moments)
    return own


def column_name(name: str, taken: set[str]) -> str:
    """Returns the name as a feature may be called, unlike those that are taken: "Plays (all)" is "plays_all"."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
    plain = (plain if plain[:1].isalpha() else f"column_{plain}".rstrip("_"))[:60]
    chosen, number = plain, 2
    while chosen in taken or not NAME.fullmatch(chosen):
        chosen, number = f"{plain}_{number}", number + 1
    return chosen

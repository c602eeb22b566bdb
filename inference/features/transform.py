"""All transforms together: what is made of the attributes of songs, of a whole catalogue or of one new song, by the same code."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from inference.features import labels
from inference.features.attributes import AUDIO, FLAGS, LABELS, Attributes
from inference.features.audio import AudioTransform
from inference.features.columns import CategoryColumn, Column, FlagColumn, NumberColumn, VectorColumn
from inference.features.describe import Names
from inference.features.genres import GenreTransform
from inference.features.store import FeatureStore
from inference.features.text_vectors import TextTransform

PREFIX = "transform"
AUDIO_VECTOR = "audio"
LYRICS = "lyrics"


def _number(name: str, attributes: Attributes) -> Column:
    return NumberColumn(attributes.number(name))


# Columns that need nothing fitted. Those that do, and the user's own, are made in `FeatureTransform._column`.
PLAIN: Mapping[str, Callable[[Attributes], Column]] = {
    **{name: functools.partial(_number, name) for name in (*AUDIO, "popularity")},
    "release_year": functools.partial(_number, "year"),
    "decade": lambda a: NumberColumn(labels.decade(a.number("year"))),
    "popularity_bucket": lambda a: labels.popularity_bucket(a.number("popularity")),
    "key": lambda a: labels.key(a.keys),
    "mode": lambda a: labels.mode(a.modes),
    "mood": labels.mood,
    "artists": lambda a: a.artists,
    "genres": lambda a: a.genres,
}
BUILT_IN = (*PLAIN, *LABELS, *FLAGS, "genre_cluster", AUDIO_VECTOR, LYRICS)


@dataclass(frozen=True)
class Own:
    """A column that the user named: its ``kind`` (numeric, categorical, text, embedding), and its ``attribute`` as the file calls it.

    ``mean``, ``deviation``: of a number, over the train songs.
    """

    kind: str
    attribute: str
    mean: float = 0.0
    deviation: float = 0.0


@dataclass(frozen=True)
class FeatureTransform:
    """``columns``: the features in the order of the store; ``own``: by column those that the user named; ``texts``: by attribute."""

    columns: tuple[str, ...]
    names: Names
    audio: AudioTransform
    genres: GenreTransform
    texts: Mapping[str, TextTransform] = field(default_factory=dict)
    own: Mapping[str, Own] = field(default_factory=dict)

    def apply(self, attributes: Attributes) -> FeatureStore:
        """Returns the features of all these songs."""
        return FeatureStore({name: self._column(name, attributes) for name in self.columns}, attributes.n_songs)

    def one(self, raw: Mapping[str, Any]) -> FeatureStore:
        """Returns a store of one new song, whose attributes are called as our roles (title, artist, genre, year, energy, ...) or as the
        columns of the training file. What can't be read is missing. Raises ``DescriptionError`` (a ``ValueError``)."""
        return self.apply(self.names.attributes(raw))

    def features(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the features of one new song in JSON's types, as ``FeatureStore.row`` does; raises what ``one`` raises."""
        return self.one(raw).row(0)

    def _column(self, name: str, attributes: Attributes) -> Column:
        n = attributes.n_songs
        if name in self.own:
            return self._own(self.own[name], attributes)
        if name in PLAIN:
            return PLAIN[name](attributes)
        if name in FLAGS:
            return FlagColumn(attributes.flags.get(name, np.full(n, -1, dtype=np.int8)))
        if name in LABELS:
            return _label(name, attributes)
        if name == "genre_cluster":
            return self.genres.apply(attributes.genres)
        if name == AUDIO_VECTOR:
            return VectorColumn(self.audio.apply(attributes))
        return self._text(LYRICS, attributes)

    def _own(self, own: Own, attributes: Attributes) -> Column:
        if own.kind == "numeric":
            return NumberColumn(attributes.number(own.attribute))
        if own.kind == "categorical":
            return _label(own.attribute, attributes)
        if own.kind == "text":
            return self._text(own.attribute, attributes)
        return VectorColumn(np.nan_to_num(attributes.vectors[own.attribute], nan=0.0))

    def _text(self, attribute: str, attributes: Attributes) -> Column:
        transform = self.texts[attribute]
        if attribute not in attributes.terms:
            return VectorColumn(np.zeros((attributes.n_songs, transform.dimensions), dtype=np.float32))
        return VectorColumn(transform.apply(attributes.terms[attribute]))

    # --- on disk ---------------------------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns all arrays, by the names of their files: ``transform.<part>.<array>``."""
        parts = {f"{PREFIX}.genres.{name}": array for name, array in self.genres.arrays().items()}
        for number, text in enumerate(self.texts.values()):
            parts |= {f"{PREFIX}.text{number}.{name}": array for name, array in text.arrays().items()}
        return parts

    def settings(self) -> dict[str, Any]:
        """Returns what ``load`` needs beside the arrays, in JSON's types."""
        own = {name: {"kind": o.kind, "attribute": o.attribute, "mean": o.mean, "deviation": o.deviation} for name, o in self.own.items()}
        return {
            **{"columns": list(self.columns), "names": self.names.settings(), "audio": self.audio.settings()},
            **{"genres": self.genres.settings(), "texts": list(self.texts), "own": own},
        }

    @classmethod
    def load(cls, settings: Mapping[str, Any], array: Callable[[str], np.ndarray]) -> Self:
        """Opens the transform again; ``array`` gives an array by its name. Raises ``KeyError``, ``TypeError`` or ``ValueError`` where
        settings are damaged."""
        genres = {name: array(f"{PREFIX}.genres.{name}") for name in GenreTransform.ARRAYS}
        texts = {
            attribute: TextTransform(**{name: array(f"{PREFIX}.text{number}.{name}") for name in TextTransform.ARRAYS})
            for number, attribute in enumerate(settings["texts"])
        }
        own = {name: Own(**entry) for name, entry in settings["own"].items()}
        if unknown := [name for name in settings["columns"] if name not in own and name not in BUILT_IN]:
            raise ValueError(f"features that this program does not know: {', '.join(map(str, unknown))}")
        return cls(
            columns=tuple(settings["columns"]),
            names=Names.load(settings["names"]),
            audio=AudioTransform.load(settings["audio"]),
            genres=GenreTransform.load(settings["genres"], genres),
            texts=texts,
            own=own,
        )


def _label(name: str, attributes: Attributes) -> Column:
    if name in attributes.labels:
        return attributes.labels[name]
    return CategoryColumn.of_names(np.full(attributes.n_songs, -1, dtype=np.int32), [])

"""Some described songs, and a transform made by hand, for the tests of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.features.attributes import AUDIO, FLAGS, LABELS, NUMBERS, Attributes, Terms
from inference.features.audio import AudioTransform
from inference.features.columns import CategoriesColumn, CategoryColumn
from inference.features.describe import Names
from inference.features.genres import GenreTransform, NameGrams
from inference.features.similarity import Part, Similarity
from inference.features.store import FeatureStore
from inference.features.text_vectors import TextTransform
from inference.features.transform import BUILT_IN, FeatureTransform, Own
from inference.features.words import term
from inference.texts import Texts

GENRES = ("hip hop", "jazz", "rock", "indie rock")
WORDS = ("love", "night", "rain", "road", "dance", "fire")
LANGUAGES = ("I was on the road with you and the night was all that we had", "que no me digas que te vas porque la noche es para los dos")


def raw_song(i: int) -> dict[str, Any]:
    """Every third song lacks something."""
    song: dict[str, Any] = {
        **{name: (i * 7 + j * 3) % 11 / 10 for j, name in enumerate(AUDIO)},
        **{"loudness": -3.5 - i, "tempo": 70.0 + 5 * i, "duration": 150 + 10 * i, "popularity": (i * 13) % 101},
        **{"title": f"Title {i}", "artist": [f"artist {i % 5}", "guest"][: 1 + i % 2], "genre": list(GENRES[i % 4 :: 3]), "year": 1975 + i},
        **{"key": i % 12, "mode": i % 2, "explicit": i % 3 == 0, "good_for_running": i % 4 == 0, "album": f"Album {i // 4}"},
        **{"emotion": ("joy", "sadness", "odd")[i % 3], "time_signature": "4/4"},
        "lyrics": f"{LANGUAGES[i % 2]} {WORDS[i % 6]} {WORDS[i % 6]} {WORDS[(i + 1) % 6]}",
        "plays": 10.0 * i,
    }
    lacking = ("year", "energy", "key", "lyrics", "genre", "artist", "emotion", "tempo")[i % 8]
    return {name: value for name, value in song.items() if i % 3 or name != lacking}


def make_transform() -> FeatureTransform:
    rng = np.random.default_rng(5)
    terms = np.array(sorted({term(word) for word in WORDS}), dtype=np.int32)
    names = sorted(GENRES)
    return FeatureTransform(
        columns=(*BUILT_IN, "plays"),
        names=Names(
            columns={"artist": "Artist(s)", "energy": "Energy", "numeric:plays": "Plays"}, divisors={"energy": 100.0}, numeric=("plays",)
        ),
        audio=AudioTransform((*AUDIO, "year"), np.full(11, 0.5), np.linspace(0.5, 2.0, 11), True),
        genres=GenreTransform(Texts.of(names), np.array([1, 0, 2, 0], np.int32), ("rock", "hip hop", "jazz"), NameGrams.of(names)),
        texts={"lyrics": TextTransform(terms, np.ones(6, np.float32), rng.normal(size=(6, 3)).astype(np.float32))},
        own={"plays": Own("numeric", "plays", 100.0, 50.0)},
    )


def make_similarity() -> Similarity:
    shares = {"artists": 0.4, "genres": 0.2, "audio": 0.1, "lyrics": 0.1, "album": 0.1}
    year, plays = Part(0.05, first=197, last=202), Part(0.05, 100.0, 50.0)
    return Similarity({**{name: Part(share) for name, share in shares.items()}, "release_year": year, "plays": plays})


def make_features(transform: FeatureTransform, raw: Sequence[dict[str, Any]]) -> FeatureStore:
    """Returns the features of these songs, made of all at once."""
    return transform.apply(joined([transform.names.attributes(song) for song in raw]))


def joined(songs: Sequence[Attributes]) -> Attributes:
    """Returns the attributes of single songs as those of many."""
    return Attributes(
        n_songs=len(songs),
        artists=CategoriesColumn.of_lists([song.artists.value(0) for song in songs]),
        genres=CategoriesColumn.of_lists([song.genres.value(0) for song in songs]),
        keys=np.array([song.keys[0] for song in songs], np.int8),
        modes=np.array([song.modes[0] for song in songs], np.int8),
        numbers={name: np.concatenate([song.number(name) for song in songs]) for name in (*NUMBERS, "plays")},
        flags={name: np.array([song.flags[name][0] if name in song.flags else -1 for song in songs], np.int8) for name in FLAGS},
        labels={name: category([song.labels[name].value(0) for song in songs]) for name in LABELS},
        terms={"lyrics": joined_terms([song.terms.get("lyrics") for song in songs])},
    )


def category(names: Sequence[str | None]) -> CategoryColumn:
    distinct = sorted({name for name in names if name is not None})
    return CategoryColumn.of_names(np.array([-1 if name is None else distinct.index(name) for name in names], np.int32), distinct)


def joined_terms(texts: Sequence[Terms | None]) -> Terms:
    some = [text or Terms(np.zeros(2, np.int64), np.empty(0, np.int32), np.empty(0, np.uint16)) for text in texts]
    indptr = np.concatenate([[0], np.cumsum([len(text.terms) for text in some])]).astype(np.int64)
    return Terms(indptr, np.concatenate([text.terms for text in some]), np.concatenate([text.counts for text in some]))

"""Catalogues and events for the tests, made by hand and by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from inference.features.values import normal
from training.data.dataset import Catalogue, Labels

AUDIO = ("danceability", "loudness", "tempo", "duration")
AWKWARD = ("a,b", 'say "hi"', "back\\slash", "ends in \\", '\\"', "🎵", "مرحبا", " space ", "|", "'", "1e5", "null", "\x00", "\u2028", '""')


def events(rows: Sequence[tuple[str, str, int | None, str | None, float | None]], columns: str = "type value") -> pa.Table:
    """A table as `event_rows` yields them."""
    users, items, times, types, values = zip(*rows, strict=True) if rows else ((),) * 5
    table = {
        "user": pa.array(users, pa.large_string()),
        "item": pa.array(items, pa.large_string()),
        "timestamp": pa.array(times, pa.int64()),
    }
    if "type" in columns:
        table["event_type"] = pa.array(types, pa.large_string())
    if "value" in columns:
        table["event_value"] = pa.array(values, pa.float64())
    return pa.table(table)


def plain_catalogue(n_songs: int) -> Catalogue:
    """A catalogue that knows nothing of its songs but that they are there."""
    nothing = np.full(n_songs, np.nan, np.float32)
    empty = np.full(n_songs, -1, np.int8)
    texts = np.full(n_songs, "", object)
    return Catalogue(
        titles=texts,
        artist_texts=texts.copy(),
        artists=[()] * n_songs,
        genres=[()] * n_songs,
        years=nothing,
        popularity=nothing.copy(),
        audio=np.empty((n_songs, 0), np.float32),
        audio_names=(),
        known=np.ones(n_songs, bool),
        keys=empty,
        modes=empty.copy(),
        explicit=empty.copy(),
    )


def texts(values: Sequence[str]) -> np.ndarray:
    out = np.empty(len(values), object)
    out[:] = values
    return out


def full_catalogue() -> Catalogue:
    """Three songs with all there is, the last with nothing, and one that only events know."""
    return replace(
        plain_catalogue(4),
        titles=texts(['Say "Yes", Please', "Line\nBreak", "", ""]),
        artist_texts=texts(["Tyler, The Creator, Kali Uchis", "AC/DC", "", ""]),
        artists=[("tyler, the creator", "kali uchis"), ("ac/dc",), (), ()],
        genres=[("hip hop", "r&b|soul"), ("rock",), (), ()],
        years=np.array([2017, 1980, np.nan, np.nan], np.float32),
        popularity=np.array([81, 90.5, np.nan, np.nan], np.float32),
        audio=np.array([[0.1, -6.85, 120.02, 227.413], [0.735, np.nan, np.nan, 255], [np.nan] * 4, [np.nan] * 4], np.float32),
        audio_names=AUDIO,
        keys=np.array([1, 11, -1, -1], np.int8),
        modes=np.array([1, 0, -1, -1], np.int8),
        explicit=np.array([1, 0, -1, -1], np.int8),
        known=np.array([True, True, True, False]),
        labels={
            "album": Labels(np.array([0, 1, -1, -1], np.int32), ("Flower Boy", "x | y")),
            "emotion": Labels(np.full(4, -1, np.int32), ()),
        },
        flags={"good_for_party": np.array([1, 0, -1, -1], np.int8)},
        numbers={"Price (EUR)": np.array([1.29, np.nan, 0, np.nan], np.float32)},
        vectors={"cover": np.zeros((4, 2), np.float32)},
    )


ID_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")
IDS = st.text(ID_CHARACTERS, min_size=1, max_size=20) | st.sampled_from(AWKWARD)
NAMES = IDS.map(lambda text: " ".join(text.replace("|", "/").split())).filter(bool)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[list[str], Catalogue]:
    """Ids and a catalogue, with names that hold anything but a bar and a line break."""
    ids = draw(st.lists(IDS, min_size=1, max_size=6, unique=True))
    n = len(ids)

    def some(values: st.SearchStrategy) -> list:
        return draw(st.lists(values, min_size=n, max_size=n))

    written = some(st.lists(NAMES, max_size=3, unique_by=normal))
    durations = st.floats(0, 86400, width=32) | st.just(np.nan)
    genres = some(st.lists(NAMES.map(normal), max_size=3, unique=True))
    albums = sorted({*draw(st.lists(NAMES, max_size=3))})
    catalogue = replace(
        plain_catalogue(n),
        titles=texts(some(NAMES | st.just(""))),
        artist_texts=texts([", ".join(names) for names in written]),
        artists=[tuple(map(normal, names)) for names in written],
        genres=[tuple(names) for names in genres],
        years=np.array(some(st.integers(1800, 2099) | st.just(np.nan)), np.float32),
        audio=np.array([*(some(FLOATS | st.just(np.nan)) for _ in AUDIO[:-1]), some(durations)], np.float32).T,
        audio_names=AUDIO,
        keys=np.array(some(st.integers(-1, 11)), np.int8),
        explicit=np.array(some(st.integers(-1, 1)), np.int8),
        known=np.array([True, *some(st.booleans())[1:]]),
        labels={"album": Labels(np.array(some(st.integers(-1, len(albums) - 1)), np.int32), tuple(albums))},
        numbers={"plays": np.arange(n, dtype=np.float32)},
    )
    return ids, catalogue

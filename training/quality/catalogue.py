"""Describes the songs of the catalogue, column by column: what is missing, how the values are spread, which are the most frequent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Catalogue, Labels
from training.quality.distribution import TOP, describe, most_common, rounded, share, spread
from training.quality.wording import clean

UNITS = {"loudness": "dB", "tempo": "beats per minute", "duration": "seconds", "popularity": "0-100"}
PITCHES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
MODES, YES_NO = ("minor", "major"), ("no", "yes")
TOP_GENRES = 20
YEAR_BINS = 80  # mostly one per year
Column = dict[str, Any]


def describe_catalogue(catalogue: Catalogue | None) -> dict[str, Any] | None:
    """Describes the songs that have a row in the catalogue (``Catalogue.known``); None without a catalogue.

    ``songs``: how many. ``columns``: one per field, each with ``name``; ``column``, as the files call it, or None; ``kind``: text, names,
    number, label, flag, vector or terms; ``named``: whether the user asked for it; ``missing`` and ``missing_share`` of the songs;
    ``distinct`` values. By kind also: numbers as in ``describe`` with ``unit``; ``top``: the most frequent ``value`` with ``count`` and
    ``share`` of the songs (flags, keys and modes: all); names ``per_song`` and ``songs_per_name`` (see ``spread``); vectors
    ``dimensions``; terms ``terms_per_song``. ``years``: ``first``, ``last``, ``covered`` and songs per ``decades``; None if no song has
    one. ``similar_pairs``: songs that the catalogue calls similar.
    """
    if catalogue is None:
        return None
    known = catalogue.known
    n_songs = int(known.sum())
    columns = [{**column, "missing_share": share(column["missing"], n_songs)} for column in _columns(catalogue, known)]
    return {
        "songs": n_songs,
        "columns": columns,
        "years": _years(catalogue.years[known]),
        "similar_pairs": len(catalogue.similar[0]) if catalogue.similar is not None else 0,
    }


def _columns(catalogue: Catalogue, known: NDArray[np.bool_]) -> Iterator[Column]:
    yield from _core(catalogue, known)
    for name, labels in catalogue.labels.items():
        yield _head(catalogue, name, "label", "categorical") | _labels(labels, known)
    for name, flag in catalogue.flags.items():
        yield _head(catalogue, name, "flag") | _codes(flag[known], YES_NO)
    for name, numbers in catalogue.numbers.items():
        yield _head(catalogue, name, "number", "numeric") | {"unit": ""} | describe(numbers[known])
    for name, vectors in catalogue.vectors.items():
        missing = int(np.count_nonzero(~np.isfinite(vectors[known]).all(axis=1)))
        yield _head(catalogue, name, "vector", "embedding") | {"missing": missing, "distinct": None, "dimensions": int(vectors.shape[1])}
    for name, terms in catalogue.terms.items():
        lengths = np.diff(terms.indptr)[known].astype(np.int64)
        empty = int((lengths == 0).sum())
        per_song = spread(lengths) if empty < len(lengths) else None
        yield _head(catalogue, name, "terms", "text") | {"missing": empty, "distinct": None, "terms_per_song": per_song}


def _core(catalogue: Catalogue, known: NDArray[np.bool_]) -> Iterator[Column]:
    yield _head(catalogue, "title", "text") | _texts(catalogue.titles[known])
    yield _head(catalogue, "artist", "names") | _names(compress(catalogue.artists, known.tolist()), TOP)
    yield _head(catalogue, "genre", "names") | _names(compress(catalogue.genres, known.tolist()), TOP_GENRES)
    yield _head(catalogue, "year", "number") | {"unit": ""} | describe(catalogue.years[known], YEAR_BINS)
    yield _head(catalogue, "popularity", "number") | {"unit": UNITS["popularity"]} | describe(catalogue.popularity[known])
    for place, name in enumerate(catalogue.audio_names):
        yield _head(catalogue, name, "number") | {"unit": UNITS.get(name, "0-1")} | describe(catalogue.audio[known, place])
    yield _head(catalogue, "key", "label") | _codes(catalogue.keys[known], PITCHES)
    yield _head(catalogue, "mode", "label") | _codes(catalogue.modes[known], MODES)
    yield _head(catalogue, "explicit", "flag") | _codes(catalogue.explicit[known], YES_NO)


def _head(catalogue: Catalogue, name: str, kind: str, named_as: str = "") -> Column:
    """``named_as``: the kind under which a user names further columns; their role is "kind:column"."""
    role = f"{named_as}:{name}"
    column = catalogue.columns.get(role, catalogue.columns.get(name))
    if column is None and name == "language":
        column = catalogue.columns.get("lyrics")
    return {
        "name": clean(name),
        "column": None if column is None else clean(column),
        "kind": kind,
        "named": role in catalogue.columns,
    }


def _texts(texts: NDArray[np.object_]) -> Column:
    distinct = set(texts.tolist())
    return {"missing": int(np.count_nonzero(texts == "")) if len(texts) else 0, "distinct": len(distinct - {""})}


def _names(names_of_songs: Iterable[tuple[str, ...]], n: int) -> Column:
    """Of songs with several names each."""
    names_of_songs = list(names_of_songs)
    lengths = np.fromiter(map(len, names_of_songs), dtype=np.int64, count=len(names_of_songs))
    songs_of = Counter(chain.from_iterable(names_of_songs))
    described: Column = {"missing": int((lengths == 0).sum()), "distinct": len(songs_of), "top": _top(songs_of, len(lengths), n)}
    if songs_of:
        described["per_song"] = rounded(lengths.sum() / np.count_nonzero(lengths))
        described["songs_per_name"] = spread(np.fromiter(songs_of.values(), dtype=np.int64, count=len(songs_of)))
    return described


def _labels(labels: Labels, known: NDArray[np.bool_]) -> Column:
    codes = labels.codes[known]
    counts = np.bincount(codes[codes >= 0], minlength=len(labels.names))
    used = np.flatnonzero(counts)
    songs_of = {labels.names[place]: int(counts[place]) for place in used.tolist()}
    return {"missing": int((codes < 0).sum()), "distinct": len(used), "top": _top(songs_of, len(codes), TOP)}


def _codes(codes: NDArray[np.int8], names: tuple[str, ...]) -> Column:
    """Of small whole numbers that stand for these names, in their order."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names)).tolist()
    top = [{"value": name, "count": n, "share": share(n, len(codes))} for name, n in zip(names, counts, strict=True)]
    return {"missing": int((codes < 0).sum()), "distinct": sum(n > 0 for n in counts), "top": top}


def _top(counts: Mapping[str, int], n_songs: int, n: int) -> list[dict[str, Any]]:
    return [{"value": clean(name), "count": count, "share": share(count, n_songs)} for name, count in most_common(counts, n)]


def _years(years: NDArray[np.float32]) -> dict[str, Any] | None:
    present = years[np.isfinite(years)].astype(np.int64)
    if not len(present):
        return None
    decades, counts = np.unique(present // 10 * 10, return_counts=True)
    return {
        "first": int(present.min()),
        "last": int(present.max()),
        "covered": len(np.unique(present)),
        "decades": [{"decade": decade, "songs": songs} for decade, songs in zip(decades.tolist(), counts.tolist(), strict=True)],
    }

"""One song per id: merges the rows of a catalogue that mean the same song."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from training.data.channel import Columns
from training.data.columns import AUDIO_NAMES
from training.data.dataset import Catalogue
from training.data.ids import numbers
from training.data.json_lines import LIST_SEPARATOR
from training.data.values import encode

Texts = tuple[list[str], NDArray[np.int64]]  # distinct texts, and per row its place in them, -1 missing


def merge_songs(columns: Columns, counts: Counter[str]) -> tuple[list[str], Catalogue]:
    """The ids, sorted by their UTF-8 bytes, and the catalogue aligned with them.

    Of several rows of one song the fullest comes first (then the most popular, then by the other values, so that the order of rows
    does not matter); what it lacks is taken from the next. Genres are the union of all rows.
    """
    ids, codes = encode(columns["item"])
    counts["items.dropped_missing_id"] += int((codes < 0).sum())
    counts["items.rows_merged"] += int((codes >= 0).sum()) - len(ids)
    nothing = np.full(len(codes), np.nan)
    no_text = np.full(len(codes), -1)
    text_roles = ("title", "artist", "artist_text", "genre")
    texts: dict[str, Texts] = {role: encode(columns[role]) if role in columns else ([], no_text) for role in text_roles}
    values = {role: np.asarray(columns[role]) for role in ("popularity", "year", *AUDIO_NAMES) if role in columns}
    order = _best_row_last(codes, texts, values)

    audio_names = tuple(name for name in AUDIO_NAMES if name in values)
    audio = [_take(values[name], codes, order, len(ids)) for name in audio_names]
    catalogue = Catalogue(
        titles=_objects(_text_of(texts["title"], codes, order, len(ids))),
        artist_texts=_objects(_text_of(texts["artist_text"], codes, order, len(ids))),
        artists=[_split(text) for text in _text_of(texts["artist"], codes, order, len(ids))],
        genres=_all_genres(texts["genre"], codes, len(ids)),
        years=_take(values.get("year", nothing), codes, order, len(ids)),
        popularity=_take(values.get("popularity", nothing), codes, order, len(ids)),
        audio=np.stack(audio, axis=1) if audio else np.empty((len(ids), 0), np.float32),
        audio_names=audio_names,
        known=np.ones(len(ids), dtype=bool),
    )
    return ids, catalogue


def _best_row_last(codes: NDArray[np.int64], texts: dict[str, Texts], values: dict[str, NDArray[np.float64]]) -> NDArray[np.int64]:
    """The rows with an id, of each song the best one last: writing them in this order leaves the best one's values."""
    rows = np.flatnonzero(codes >= 0)
    repeated = np.bincount(codes[rows])[codes[rows]] > 1 if len(rows) else np.zeros(0, bool)
    several = rows[repeated]
    text_keys = [place[several] for _, place in texts.values()]
    value_keys = [np.nan_to_num(column[several], nan=-np.inf) for column in values.values()]
    present = sum(((key >= 0) for key in text_keys), start=np.zeros(len(several), np.int64))
    present = present + sum((np.isfinite(key) for key in value_keys), start=np.zeros(len(several), np.int64))
    return np.concatenate([rows[~repeated], several[np.lexsort([*text_keys, *reversed(value_keys), present])]])


def _take(values: NDArray[np.float64], codes: NDArray[np.int64], order: NDArray[np.int64], n_songs: int) -> NDArray[np.float32]:
    taken = np.full(n_songs, np.nan, dtype=np.float32)
    rows = order[~np.isnan(values[order])]
    taken[codes[rows]] = values[rows]
    return taken


def _text_of(texts: Texts, codes: NDArray[np.int64], order: NDArray[np.int64], n_songs: int) -> list[str]:
    distinct, places = texts
    taken = np.full(n_songs, -1, dtype=np.int64)
    rows = order[places[order] >= 0]
    taken[codes[rows]] = places[rows]
    return [distinct[place] if place >= 0 else "" for place in taken.tolist()]


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(LIST_SEPARATOR)) if text else ()


def _all_genres(texts: Texts, codes: NDArray[np.int64], n_songs: int) -> list[tuple[str, ...]]:
    genres: list[tuple[str, ...]] = [()] * n_songs
    distinct, places = texts
    sets = [tuple(sorted(_split(text))) for text in distinct]
    rows = (codes >= 0) & (places >= 0)
    for song, place in np.unique(np.stack([codes[rows], places[rows]], axis=1), axis=0).tolist():
        genres[song] = tuple(sorted({*genres[song], *sets[place]})) if genres[song] else sets[place]
    return genres


def _objects(texts: list[str]) -> NDArray[np.object_]:
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def aligned(ids: list[str], catalogue: Catalogue, vocabulary: NDArray[np.object_]) -> Catalogue:
    """The catalogue aligned with a vocabulary that holds all its ids; songs that only the vocabulary knows have empty fields."""
    places = numbers(ids, vocabulary)
    n_songs = len(vocabulary)

    def spread(column: NDArray[np.float32]) -> NDArray[np.float32]:
        wide = np.full((n_songs, *column.shape[1:]), np.nan, dtype=np.float32)
        wide[places] = column
        return wide

    titles, artist_texts = _objects([""] * n_songs), _objects([""] * n_songs)
    titles[places] = catalogue.titles
    artist_texts[places] = catalogue.artist_texts
    known = np.zeros(n_songs, dtype=bool)
    known[places] = True
    artists: list[tuple[str, ...]] = [()] * n_songs
    genres: list[tuple[str, ...]] = [()] * n_songs
    for row, place in enumerate(places.tolist()):
        artists[place], genres[place] = catalogue.artists[row], catalogue.genres[row]
    return Catalogue(
        titles=titles,
        artist_texts=artist_texts,
        artists=artists,
        genres=genres,
        years=spread(catalogue.years),
        popularity=spread(catalogue.popularity),
        audio=spread(catalogue.audio),
        audio_names=catalogue.audio_names,
        known=known,
    )

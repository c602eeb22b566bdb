"""The values of some rows of songs, in one form whatever file they come from. Nothing here looks beyond the rows at hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from inference.features import values as one_value
from inference.features import words
from inference.features.attributes import FLAGS, LABELS
from inference.features.language import language
from inference.features.values import LIST_SEPARATOR, as_written, normal
from training.data.columns import plain
from training.data.config import DataConfig
from training.data.ids import is_placeholder, song_keys
from training.data.judge import Cells, Judge
from training.data.plain_text import names_of
from training.data.schemas import NUMBERS, SIMILAR, Schema
from training.data.values import TEXT, encode, missing_cells, numbers_of, to_text

# What one column says beside its own, for where the column of that name does not say it.
MODE_OF_KEY, LANGUAGE_OF_LYRICS = "mode of key", "language of lyrics"
PARSERS: dict[str, Callable[[str], float]] = {"duration": one_value.clock_or_number, "year": one_value.year}


def song_table(
    cells: Mapping[str, pa.ChunkedArray], rows: NDArray[np.int64], roles: dict[str, str], schema: Schema, judge: Judge, config: DataConfig
) -> pa.Table:
    """One row per row that is kept, with the columns

    item, title, album, emotion, ... (text); artist, genre (names joined by ``LIST_SEPARATOR``), artist_text; the numbers of ``NUMBERS``
    (float64, NaN missing, in the units of the file); key, mode and the flags (int8, -1 missing); lyrics_terms, lyrics_counts, language;
    similar_1 ... (text id) and similar_score_1 ...; and "kind:COLUMN" for the columns that the user named; row (int64).
    """
    separators = separators_of(schema, roles, config)
    out: dict[str, pa.ChunkedArray | pa.Array] = {}
    for role, column in cells.items():
        for name, values in _columns_of(role, column, separators, judge, roles[role]):
            out[name] = values
    if (heard := out.pop(LANGUAGE_OF_LYRICS, None)) is not None:
        out["language"] = pc.coalesce(out["language"], heard) if "language" in out else heard
    if (said := out.pop(MODE_OF_KEY, None)) is not None:
        of_key, mode = np.asarray(said), np.asarray(out["mode"]) if "mode" in out else np.full(len(rows), -1, dtype=np.int8)
        if "mode" in out or (of_key >= 0).any():
            out["mode"] = pa.array(np.where(mode < 0, of_key, mode))
    if "item" not in out:
        out["item"] = song_keys(cells["artist"], cells["title"])
    judge.found("missing_id", roles.get("item", ""), pc.is_null(out["item"]).to_numpy(), Cells(cells.get("item", out["item"])))
    judge.found("placeholder_id", roles.get("item", ""), is_placeholder(out["item"]) & judge.kept, Cells(out["item"]))
    for place in range(1, SIMILAR + 1):
        pair = [cells.get(f"similar_{part}_{place}") for part in ("artist", "title")]
        if all(column is not None for column in pair):
            out[f"similar_{place}"] = song_keys(*pair)
    out["row"] = pa.array(rows)
    table = pa.table(out)
    return table if judge.kept.all() else table.filter(pa.array(judge.kept))


def separators_of(schema: Schema, roles: Mapping[str, str], config: DataConfig) -> tuple[str, str]:
    """The characters between the artists, and those between the genres, that stand in one text of a file.

    A column that is called "Artist(s)" has commas between the artists, whatever the rest of the file looks like.
    """
    artists = ",;|" if plain(roles.get("artist", "")) == "artist_s" else schema.artist_separators
    return config.artist_separators or artists, config.genre_separators or schema.genre_separators


def _columns_of(
    role: str, column: pa.ChunkedArray, separators: tuple[str, str], judge: Judge, name: str
) -> Iterator[tuple[str, pa.ChunkedArray | pa.Array]]:
    """The columns that one column of the file becomes."""
    kind, _, _ = role.partition(":")
    if role.startswith("similar_"):
        if role.startswith("similar_score"):
            yield role, pa.array(_numbers(role, column, judge, name))
        return
    if role not in ("item", "mode"):
        missing = missing_cells(column)
        judge.found("missing_value", name, missing, Cells(column))
    if role in ("item", "title", "album"):
        yield role, to_text(column)
    elif role == "artist":
        yield "artist", names_of(column, separators[0], normal, LIST_SEPARATOR)
        yield "artist_text", names_of(column, separators[0], as_written, ", ")
    elif role == "genre":
        yield "genre", names_of(column, separators[1], normal, LIST_SEPARATOR)
    elif role in NUMBERS or kind == "numeric":
        yield role, pa.array(_numbers(role, column, judge, name))
    elif role in ("key", "mode"):
        yield from _key(role, column, judge, name)
    elif role in FLAGS:
        yield role, _flags(column, judge, name)
    elif role in LABELS or kind == "categorical":
        yield role, names_of(column, "", as_written if kind == "categorical" else normal, ", ")
    elif role == "lyrics" or kind == "text":
        yield from _terms(role, column)
    elif kind == "embedding":
        yield role, _vectors(column, judge, name)


def _numbers(role: str, column: pa.ChunkedArray, judge: Judge, name: str) -> NDArray[np.float64]:
    values, unreadable = numbers_of(column, PARSERS.get(role))
    judge.found("unreadable_value", name, unreadable, Cells(column))
    if role not in NUMBERS:  # those have ranges of their own
        too_large = np.abs(values) > one_value.LARGEST
        judge.found("out_of_range", name, too_large, Cells(column))
        values[too_large] = math.nan
    return values


def _key(role: str, column: pa.ChunkedArray, judge: Judge, name: str) -> Iterator[tuple[str, pa.Array]]:
    """Pitch class and mode: "D min" says both, a number one of them. -1 is how the catalogues write "not found"."""
    texts, codes = encode(column)
    pairs = [one_value.key_and_mode(text) if role == "key" else (-1, one_value.mode(text)) for text in texts]
    wrong = [pair == (-1, -1) and one_value.number(text) != -1 for text, pair in zip(texts, pairs, strict=True)]
    unreadable = np.array([*wrong, False])[codes]
    judge.found("unreadable_value", name, unreadable, Cells(column))
    both = np.array([*pairs, (-1, -1)], dtype=np.int8)[codes]
    if role == "key":
        yield "key", pa.array(both[:, 0])
        yield MODE_OF_KEY, pa.array(both[:, 1])
    else:
        yield "mode", pa.array(both[:, 1])


def _flags(column: pa.ChunkedArray, judge: Judge, name: str) -> pa.Array:
    texts, codes = encode(column)
    values = np.array([*(one_value.yes_no(text) for text in texts), -1], dtype=np.int8)[codes]
    judge.found("unreadable_value", name, (values < 0) & (codes >= 0), Cells(column))
    return pa.array(values)


def _terms(role: str, column: pa.ChunkedArray) -> Iterator[tuple[str, pa.Array]]:
    """How often each hashed term is in a text; of lyrics also the language."""
    distinct, codes = encode(column)
    terms, counts, languages = [], [], []
    for text in distinct:
        found = words.tokens(text)
        term, count = words.term_counts(found)
        terms.append(term)
        counts.append(count)
        languages.append(language(found) if role == "lyrics" else "")
    places = pa.array(codes, mask=codes < 0)
    yield f"{role}_terms", _lists(terms, np.int32).take(places)
    yield f"{role}_counts", _lists(counts, np.uint16).take(places)
    if role == "lyrics":
        yield LANGUAGE_OF_LYRICS, pa.array([name or None for name in languages], TEXT).take(places)


def _lists(parts: list[NDArray], dtype: type) -> pa.LargeListArray:
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)])
    flat = np.concatenate(parts) if parts else np.empty(0)
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(flat.astype(dtype)))


def _vectors(column: pa.ChunkedArray, judge: Judge, name: str) -> pa.Array:
    texts = to_text(column).to_pylist()
    rows = [one_value.vector(text) if text is not None else None for text in texts]
    wrong = np.array([text is not None and row is None for text, row in zip(texts, rows, strict=True)], dtype=bool)
    judge.found("unreadable_value", name, wrong, Cells(column))
    return pa.array(rows, pa.large_list(pa.float32()))

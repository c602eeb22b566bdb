"""From a catalogue to the fields and columns of Amazon Personalize's Items."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from inference.features.values import normal
from training.data.dataset import Catalogue
from training.personalize import limits
from training.personalize.avro import Field
from training.personalize.dialect import TEXT
from training.personalize.schema_rules import plain_name

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = ("minor", "major")
YES_NO = ("no", "yes")
MILLISECONDS = 1000.0


def item_columns(catalogue: Catalogue, counts: Counter[str]) -> tuple[list[Field], dict[str, pa.Array], list[str]]:
    """The fields, the column of each (an array over the songs, null missing), and sentences on what could not be written.

    TITLE is plain text: Amazon Personalize doesn't learn from it, and its one textual field is meant for descriptions. ARTISTS, GENRES,
    labels, key, mode and flags are categorical: as numbers, a B would lie far from a C. A field that no song has a value of is left
    out. ``counts``: values that had to be changed, by reason.
    """
    fields: list[Field] = []
    columns: dict[str, pa.Array] = {}
    taken = {plain_name(name) for name in (*limits.REQUIRED["Items"], *limits.RESERVED["Items"])}
    for wanted, kind, column in _columns(catalogue, counts):
        if column.null_count == len(column):
            continue
        name = _free_name(wanted, taken)
        fields.append(Field(name, "string" if kind == "categorical" else kind, nullable=True, categorical=kind == "categorical"))
        columns[name] = column
    left_out = [
        f"{what} {', '.join(sorted(names))} left out: Amazon Personalize has no fields for {why}"
        for what, names, why in (
            ("embeddings", catalogue.vectors, "vectors"),
            ("terms of", catalogue.terms, "counted terms"),
            ("pairs of", ("similar songs",) if catalogue.similar is not None else (), "pairs of items"),
        )
        if names
    ]
    return fields, columns, left_out


def _columns(catalogue: Catalogue, counts: Counter[str]) -> Iterator[tuple[str, str, pa.Array]]:
    """Name, type ("categorical" is one), and values of every field."""
    yield "TITLE", "string", _texts(catalogue.titles, counts)
    artists = (written_names(text, names) for text, names in zip(catalogue.artist_texts, catalogue.artists, strict=True))
    yield "ARTISTS", "categorical", _lists(artists, counts)
    yield "GENRES", "categorical", _lists(catalogue.genres, counts)
    for name, labels in catalogue.labels.items():
        yield name, "categorical", _choices(labels.codes, [_category(label, counts) for label in labels.names])
    yield "RELEASE_YEAR", "int", pa.array(np.nan_to_num(catalogue.years).astype(np.int32), mask=np.isnan(catalogue.years))
    yield "POPULARITY", "float", _numbers(catalogue.popularity)
    for place, name in enumerate(catalogue.audio_names):
        values = catalogue.audio[:, place]
        if name == "duration":  # by this name and unit any reader knows it
            yield "DURATION_MS", "float", _numbers(values.astype(str).astype(np.float64) * MILLISECONDS)  # 227.413 s are 227413 ms
        else:
            yield name, "float", _numbers(values)
    yield "KEY", "categorical", _choices(catalogue.keys, PITCHES)
    yield "MODE", "categorical", _choices(catalogue.modes, MODES)
    yield "EXPLICIT", "categorical", _choices(catalogue.explicit, YES_NO)
    for name, codes in catalogue.flags.items():
        yield name, "categorical", _choices(codes, YES_NO)
    for name, numbers in catalogue.numbers.items():
        yield name, "float", _numbers(numbers)


def written_names(text: str, names: Sequence[str]) -> list[str]:
    """The artists as the file writes them, "Tyler, The Creator" and all: the text, cut at those commas where normal forms agree.

    ``text``: the names joined by ", "; ``names``: their normal forms, in the same order. If they don't agree, the normal forms.
    """
    parts, written, wanted = text.split(", "), [], iter(names)
    name, so_far = next(wanted, None), ""
    for part in parts:
        so_far = f"{so_far}, {part}" if so_far else part
        if name is not None and normal(so_far) == name:
            written.append(so_far)
            name, so_far = next(wanted, None), ""
    return written if len(written) == len(names) and not so_far else list(names)


def field_name(wanted: str) -> str:
    """A name of capitals, digits and underscores, as Amazon Personalize's are: "Price (EUR)" is PRICE_EUR."""
    name = re.sub(r"[^A-Z0-9]+", "_", wanted.upper()).strip("_") or "FIELD"
    return f"FIELD_{name}" if name[0].isdigit() else name


def _free_name(wanted: str, taken: set[str]) -> str:
    """The name, with a number after it if another field has it; it is taken now."""
    base = field_name(wanted)
    name, number = base, 1
    while plain_name(name) in taken:
        number += 1
        name = f"{base}_{number}"
    taken.add(plain_name(name))
    return name


def _numbers(values: NDArray[np.floating]) -> pa.Array:
    return pa.array(values, mask=~np.isfinite(values))


def _choices(codes: NDArray[np.integer], names: Sequence[str]) -> pa.Array:
    """The name of each code, null for -1."""
    return pa.array(list(names), TEXT).take(pa.array(codes.astype(np.int64), mask=codes < 0))


def _texts(texts: Iterable[str], counts: Counter[str]) -> pa.Array:
    return pa.array([_one_line(text, counts)[: limits.MAX_TEXT_CHARACTERS] or None for text in texts], TEXT)


def _lists(lists: Iterable[Sequence[str]], counts: Counter[str]) -> pa.Array:
    """Categories joined by the bar; the last ones are left out where all together are too long."""
    joined = []
    for names in lists:
        text = limits.CATEGORY_SEPARATOR.join(_category(name, counts) for name in names)
        if len(text) > limits.MAX_TEXT_CHARACTERS:
            counts["values_cut"] += 1
            text = text[: limits.MAX_TEXT_CHARACTERS + 1].rpartition(limits.CATEGORY_SEPARATOR)[0] or text[: limits.MAX_TEXT_CHARACTERS]
        joined.append(text or None)
    return pa.array(joined, TEXT)


def _category(name: str, counts: Counter[str]) -> str:
    """A category of its own: a bar in its name would make two of it."""
    if limits.CATEGORY_SEPARATOR in name:
        counts["bars_replaced"] += 1
        name = name.replace(limits.CATEGORY_SEPARATOR, "/")
    return _one_line(name, counts)[: limits.MAX_TEXT_CHARACTERS]


def _one_line(text: str, counts: Counter[str]) -> str:
    if len(text) > limits.MAX_TEXT_CHARACTERS:
        counts["values_cut"] += 1
    if "\n" in text or "\r" in text:
        counts["line_breaks_removed"] += 1
        return " ".join(text.split())
    return text

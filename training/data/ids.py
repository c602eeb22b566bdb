"""Ids: the text id of a song without one, and vocabularies, in which an id's place is its number."""

import operator
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from inference.features.values import LIST_SEPARATOR, normal
from training.data.policies import PLACEHOLDERS
from training.data.values import TEXT, encode


def song_key(artists: str, title: str) -> str:
    """The id of a song that has none: "{artists} - {title}", casefolded, NFC, white space collapsed; "" if either is empty.

    `song_key("Deep  Purple", "Child In Time")` is "deep purple - child in time".
    """
    artists, title = normal(artists), normal(title)
    return f"{artists} - {title}" if artists and title else ""


def vocabulary(*groups: Iterable[str]) -> NDArray[np.object_]:
    """The distinct ids of all groups, sorted by their UTF-8 bytes, which for str is the order of their code points."""
    lists = [list(group) for group in groups]
    given = [group for group in lists if group]
    in_order = len(given) == 1 and all(map(operator.lt, given[0], given[0][1:]))
    distinct = given[0] if in_order else sorted(set().union(*given))
    ids = np.empty(len(distinct), dtype=object)
    ids[:] = distinct
    return ids


def numbers(ids: list[str], within: NDArray[np.object_]) -> NDArray[np.int32]:
    """The number of each id in a vocabulary that holds them all."""
    place = {identifier: number for number, identifier in enumerate(within)}
    return np.fromiter((place[identifier] for identifier in ids), dtype=np.int32, count=len(ids))


def song_keys(artists: pa.ChunkedArray, titles: pa.ChunkedArray) -> pa.ChunkedArray:
    """The text id of each row, null where artist or title is missing. Each distinct pair is worked on once."""
    artist_texts, artist_codes = encode(artists)
    title_texts, title_codes = encode(titles)
    artist_names = [normal(text.replace(LIST_SEPARATOR, ",")) for text in artist_texts]
    title_names = [normal(text) for text in title_texts]
    pairs = np.where((artist_codes < 0) | (title_codes < 0), -1, artist_codes * max(len(title_texts), 1) + title_codes)
    distinct, places = np.unique(pairs, return_inverse=True)
    keys = [_pair_key(pair, artist_names, title_names) for pair in distinct.tolist()]
    return pa.chunked_array([pa.array(keys, TEXT).take(pa.array(places))])


def _pair_key(pair: int, artists: list[str], titles: list[str]) -> str | None:
    if pair < 0:
        return None
    artist, title = divmod(pair, len(titles))
    return f"{artists[artist]} - {titles[title]}" if artists[artist] and titles[title] else None


def is_placeholder(ids: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    """Where an id is a word that stands for a missing one, as programs write it: "nan", "NULL", "None", ...; false where it is null."""
    words = pa.array(sorted(PLACEHOLDERS), ids.type)
    return np.asarray(pc.is_in(pc.utf8_lower(ids), value_set=words)).astype(bool)

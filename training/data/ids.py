"""Ids: the text id of a song without one, and vocabularies, in which an id's place is its number."""

import unicodedata
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def song_key(artists: str, title: str) -> str:
    """The id of a song that has none: "{artists} - {title}", casefolded, NFC, white space collapsed; "" if either is empty.

    `song_key("Deep  Purple", "Child In Time")` is "deep purple - child in time".
    """
    artists, title = normal(artists), normal(title)
    return f"{artists} - {title}" if artists and title else ""


def normal(text: str) -> str:
    """Text as it is compared: casefolded, NFC, white space collapsed and stripped."""
    folded = " ".join(text.casefold().split())
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


def vocabulary(*groups: Iterable[str]) -> NDArray[np.object_]:
    """The distinct ids of all groups, sorted by their UTF-8 bytes, which for str is the order of their code points."""
    distinct = sorted(set().union(*groups))
    ids = np.empty(len(distinct), dtype=object)
    ids[:] = distinct
    return ids


def numbers(ids: list[str], within: NDArray[np.object_]) -> NDArray[np.int32]:
    """The number of each id in a vocabulary that holds them all."""
    place = {identifier: number for number, identifier in enumerate(within)}
    return np.fromiter((place[identifier] for identifier in ids), dtype=np.int32, count=len(ids))

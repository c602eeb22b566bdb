"""What extraction hands to everything after it: arrays and vocabularies, no pandas."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


@dataclass(frozen=True)
class Interactions:
    """Who listened to what, one entry per distinct (user, item), sorted by user, then item.

    users, items: int32 (entries,), numbers into `Dataset.user_ids` and `Dataset.item_ids`.
    weights: float32 (entries,), all > 0.
    timestamps: int64 (entries,) seconds since 1970 of the last event, or None if no event has a time. An entry without a
        time in data that has times elsewhere gets `MISSING_TIME`, so it sorts before every entry with one.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    weights: NDArray[np.float32]
    timestamps: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.users)

    def user_items(self, n_users: int, n_items: int) -> csr_array:
        """The weights as a float32 matrix (n_users x n_items) with sorted indices and no duplicates."""
        counts = np.bincount(self.users, minlength=n_users) if len(self) else np.zeros(n_users, dtype=np.int64)
        if len(counts) != n_users:
            raise ValueError(f"user number {len(counts) - 1} does not fit in {n_users} users")
        index_type = np.int32 if len(self) < np.iinfo(np.int32).max else np.int64
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(index_type)
        matrix = csr_array((self.weights, self.items.astype(index_type, copy=False), starts), shape=(n_users, n_items))
        matrix.has_canonical_format = True  # entries are distinct and sorted by contract
        return matrix


MISSING_TIME = np.iinfo(np.int64).min


def no_interactions() -> Interactions:
    """Interactions without entries: what a catalogue without events has."""
    return Interactions(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))


@dataclass(frozen=True)
class Catalogue:
    """What is known about the songs, aligned with `Dataset.item_ids`; a song that only events know has empty fields.

    titles, artist_texts: object (songs,) of str, "" missing; as written in the file, several artists joined by ", ".
    artists, genres: per song a tuple of str, () missing; stripped and casefolded; artists in the order of the file, genres sorted.
    years: float32 (songs,), NaN missing.
    popularity: float32 (songs,), 0-100, NaN missing.
    audio: float32 (songs x features), NaN missing: loudness in dB, tempo in beats per minute, duration in seconds, the
        others 0-1.
    audio_names: the names of the columns of `audio`.
    known: bool (songs,), which songs have a row in the catalogue.
    """

    titles: NDArray[np.object_]
    artist_texts: NDArray[np.object_]
    artists: list[tuple[str, ...]]
    genres: list[tuple[str, ...]]
    years: NDArray[np.float32]
    popularity: NDArray[np.float32]
    audio: NDArray[np.float32]
    audio_names: tuple[str, ...]
    known: NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """Everything that training knows.

    item_ids, user_ids: object arrays of str, distinct, sorted by their UTF-8 bytes. A song's *number* is its place here.
    interactions: what to learn from; no entries if only a catalogue was given.
    catalogue: None if no `items` channel was given.
    test: the channel `test`, held out by the user, over the same vocabularies; None if not given.
    counts: what was read, merged and dropped, by reason ("interactions.rows_read", "items.rows_merged", ...).
    """

    item_ids: NDArray[np.object_]
    user_ids: NDArray[np.object_]
    interactions: Interactions
    catalogue: Catalogue | None = None
    test: Interactions | None = None
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def n_users(self) -> int:
        """How many listeners are known, with or without events."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """How many songs are known, from the catalogue or from events."""
        return len(self.item_ids)

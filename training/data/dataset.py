"""What extraction hands to everything after it: arrays and vocabularies, no pandas."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from training.data.problems import Ledger


@dataclass(frozen=True)
class Interactions:
    """Who listened to what, one entry per distinct (user, item), sorted by user, then item.

    users, items: int32 (entries,), numbers into `Dataset.user_ids` and `Dataset.item_ids`.
    weights: float32 (entries,), all > 0.
    timestamps: int64 (entries,) seconds since 1970 of the last event, or None if no event has a time. An entry without a
        time in data that has times elsewhere gets `MISSING_TIME`, so it sorts before every entry with one.
    positions: int64 (entries,) places in a list (a playlist), the largest is the last, where the data has these instead of times; None
        otherwise. They say what came after what, and nothing more: never both of them, and never a time.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    weights: NDArray[np.float32]
    timestamps: NDArray[np.int64] | None = None
    positions: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.users)

    @property
    def order(self) -> NDArray[np.int64] | None:
        """What tells which entry of a listener came later: the times, or else the positions; `MISSING_TIME` where unknown, or None."""
        return self.timestamps if self.timestamps is not None else self.positions

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
class Labels:
    """One label per song. `codes`: int32 (songs,), places in `names`, -1 missing. `names`: distinct, sorted by their UTF-8 bytes."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]


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
    keys: int8 (songs,), pitch class 0-11 with C = 0, -1 missing. modes: int8 (songs,), 1 major, 0 minor, -1 missing.
    explicit: int8 (songs,), 1 yes, 0 no, -1 missing.
    labels: by name ("album", "emotion", "language", "time_signature", and the categorical columns that the user named), one label
        per song.
    flags: by name ("good_for_party", ...) int8 (songs,), 1 yes, 0 no, -1 missing.
    numbers: by name, the numeric columns that the user named: float32 (songs,), NaN missing.
    vectors: by name, the embedding columns that the user named: float32 (songs x dimensions), a row of NaN is missing.
    terms: by name ("lyrics", and the text columns that the user named) how often each term is in the text: csr uint16
        (songs x `inference.features.words.TERM_SPACE`), an empty row is missing.
    similar: (from, to, score) int32, int32, float32 per pair of songs that the catalogue calls similar; None if it has no such columns.
    units: by audio name what the file's numbers were divided by to be in our units (100 for per cent, 1000 for milliseconds).
    columns: by role the name of the column in the file, for those who describe a new song as the file does.
    separators: the characters between artists, and those between genres, in one text of the file.
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
    keys: NDArray[np.int8]
    modes: NDArray[np.int8]
    explicit: NDArray[np.int8]
    labels: dict[str, Labels] = field(default_factory=dict)
    flags: dict[str, NDArray[np.int8]] = field(default_factory=dict)
    numbers: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    terms: dict[str, csr_array] = field(default_factory=dict)
    similar: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]] | None = None
    units: dict[str, float] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    separators: tuple[str, str] = (";|", "|;,")

    def __len__(self) -> int:
        return len(self.known)


@dataclass(frozen=True)
class ListenerWords:
    """What the channel users says of listeners, as words (`inference.context`): of names and titles each word, of categories "country=de".

    words: distinct, sorted by their UTF-8 bytes. rows: bool (listeners x words), sorted, aligned with `Dataset.user_ids`.
    texts, categories: the names of the columns, as `plain` writes them; a request may give the same ones.
    """

    words: tuple[str, ...]
    rows: csr_array
    texts: tuple[str, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True)
class InputFile:
    """One file that was read. `name`: its channel and place in it ("items/part/0.csv"). `format`: "CSV", "Parquet", "JSON Lines".

    `columns`: as written in it. `roles`: role -> column, those that were used. `schema`: the name of the schema it was read as.
    `size` in bytes and `sha256` are of the file as it lies there (compressed, if it is).
    """

    channel: str
    name: str
    format: str
    size: int
    sha256: str
    rows: int
    columns: tuple[str, ...]
    roles: dict[str, str]
    schema: str


@dataclass(frozen=True)
class Step:
    """One step of the way from files to arrays: "merge rows of one song: 600 rows in, 540 out"."""

    name: str
    channel: str
    rows_in: int
    rows_out: int
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Everything that training knows.

    item_ids, user_ids: object arrays of str, distinct, sorted by their UTF-8 bytes. A song's *number* is its place here.
    interactions: what to learn from; no entries if only a catalogue was given.
    catalogue: None if no `items` channel was given.
    test: the channel `test`, held out by the user, over the same vocabularies; None if not given.
    counts: what was read, merged and dropped, by reason ("interactions.rows_read", "items.rows_merged", ...).
    ledger: the problems that were found, with examples, and what was done about them.
    steps: what was done, in order, with the rows that went in and came out.
    files: what was read.
    listener_words: what the channel `users` says of the listeners; None if it has no column of that kind.
    aliases: ids of songs that were merged into another song (`quality_duplicate_song`), and that song's id.
    """

    item_ids: NDArray[np.object_]
    user_ids: NDArray[np.object_]
    interactions: Interactions
    catalogue: Catalogue | None = None
    test: Interactions | None = None
    counts: dict[str, int] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    steps: list[Step] = field(default_factory=list)
    files: list[InputFile] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    listener_words: ListenerWords | None = None

    @property
    def n_users(self) -> int:
        """How many listeners are known, with or without events."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """How many songs are known, from the catalogue or from events."""
        return len(self.item_ids)

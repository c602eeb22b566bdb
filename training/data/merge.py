"""Which rows of a catalogue mean the same song: those of one id, and, if the settings say so, those of one title and artist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from inference.features.values import normal
from training.data.plain_text import in_form
from training.data.problems import MAX_EXAMPLES, Example, Kind, Ledger, Problem, shown
from training.data.sample import mixed
from training.data.schemas import NUMBERS
from training.data.songs import Songs
from training.data.values import dictionary, encode


@dataclass(frozen=True)
class Merged:
    """``ids``: the songs, sorted by their UTF-8 bytes. ``codes``: int64 per row of the table, the place of its song in ``ids``.

    ``order``: the rows, of each song the best one last. Of several rows of one song the fullest is the best (then the most popular,
    then by the other values, so that the order of rows does not matter). ``aliases``: ids that lead to another song's id.
    """

    ids: list[str]
    codes: NDArray[np.int64]
    order: NDArray[np.int64]
    aliases: dict[str, str]

    def select(self, which: NDArray[np.bool_]) -> Merged:
        """The songs where ``which`` (bool, one per id) is true. Rows of others have the code -1 and are not in ``order``."""
        place = np.where(which, np.cumsum(which) - 1, -1)
        codes = place[self.codes]
        ids = [one for one, keep in zip(self.ids, which.tolist(), strict=True) if keep]
        return Merged(ids, codes, self.order[codes[self.order] >= 0], self._aliases_of(frozenset(ids)))

    def _aliases_of(self, ids: frozenset[str]) -> dict[str, str]:
        return {old: new for old, new in self.aliases.items() if new in ids}


def _list_hashes(column: pa.ChunkedArray, lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A hash of what is in each list."""
    flat = np.ascontiguousarray(column.combine_chunks().flatten().to_numpy(), dtype=np.float64).view(np.uint64)
    sizes = np.maximum(lengths, 0)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    inside = np.arange(len(flat)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    hashes = np.zeros(len(sizes), dtype=np.uint64)
    np.add.at(hashes, owners, mixed(flat, inside.astype(np.uint64)))
    return hashes


def merge_rows(songs: Songs, ledger: Ledger) -> Merged:
    """Finds the rows that are one song and counts them. Raises ``UserDataError`` if the settings refuse such rows."""
    ids, codes = encode(songs.table.column("item"))
    again = _seen_before(codes)
    _record(ledger, "duplicate_row", songs, songs.columns.get("item", ""), np.flatnonzero(again))
    ledger.counts["items.rows_merged"] += int(again.sum())
    order = _best_row_last(songs, codes)
    aliases: dict[str, str] = {}
    groups = _groups(songs, codes, order, len(ids))
    if groups is not None:
        other = _seen_before(groups)
        rows = np.zeros(len(ids), dtype=np.int64)
        rows[codes[order]] = order
        _record(ledger, "duplicate_song", songs, songs.columns.get("title", ""), np.sort(rows[other]))
        if ledger.action("duplicate_song") == "repair" and other.any():
            canonical = _canonical(songs, groups, rows)
            aliases = {ids[old]: ids[new] for old, new in enumerate(canonical.tolist()) if old != new}
            ledger.counts["items.songs_merged_by_title_and_artist"] += len(aliases)
            kept = np.unique(canonical)
            ids = [ids[place] for place in kept.tolist()]
            codes = np.searchsorted(kept, canonical[codes])
            order = _best_row_last(songs, codes)
    if ledger.action("duplicate_row") == "drop":
        best = np.full(len(ids), -1, dtype=np.int64)
        best[codes[order]] = order
        order = best[best >= 0]
    ledger.refuse()
    return Merged(ids, codes, order, aliases)


def _seen_before(codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a code stands that stood before; of code -1 nothing is said."""
    order = np.argsort(codes, kind="stable")
    again = np.zeros(len(codes), dtype=bool)
    again[order[1:]] = codes[order][1:] == codes[order][:-1]
    return again & (codes >= 0)


def _record(ledger: Ledger, kind: str, songs: Songs, column: str, rows: NDArray[np.int64]) -> None:
    if not len(rows):
        return
    table = songs.table
    examples = []
    for row in rows[:MAX_EXAMPLES].tolist():
        file = songs.files[table.column("file")[row].as_py()]
        examples.append(Example(file, table.column("row")[row].as_py(), shown(table.column("item")[row].as_py())))
    ledger.problems.setdefault(Kind("items", kind, column), Problem()).add(len(rows), examples)


def _groups(songs: Songs, codes: NDArray[np.int64], order: NDArray[np.int64], n_songs: int) -> NDArray[np.int64] | None:
    """For each song the number of its title and artist, in normal form; -1 where one of them is missing; None if all are."""
    if not (songs.has("title") and songs.has("artist")):
        return None
    rows = np.zeros(n_songs, dtype=np.int64)
    rows[codes[order]] = order
    titles = in_form(songs.table.column("title").take(pa.array(rows)), normal)
    parts = [_numbers(titles), _numbers(songs.table.column("artist").take(pa.array(rows)))]
    pairs = parts[0] * (int(parts[1].max(initial=0)) + 1) + parts[1]
    return np.where((parts[0] < 0) | (parts[1] < 0), -1, pairs)


def _numbers(text: pa.ChunkedArray) -> NDArray[np.int64]:
    """A number per distinct text, -1 where missing; no order is meant."""
    return dictionary(text).indices.cast(pa.int64()).fill_null(-1).to_numpy()


def _canonical(songs: Songs, groups: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each song the one of its group that stands for it: the most popular, then the first by id."""
    popularity = songs.numbers("popularity")[rows] if songs.has("popularity") else np.zeros(len(groups))
    best_last = np.lexsort([-np.arange(len(groups)), np.nan_to_num(popularity, nan=-1.0)])
    _, inverse = np.unique(groups, return_inverse=True)
    leader = np.zeros(len(groups), dtype=np.int64)
    leader[inverse[best_last]] = best_last
    return np.where(groups < 0, np.arange(len(groups)), leader[inverse])


def _best_row_last(songs: Songs, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows, of each song the best one last: writing them in this order leaves the best one's values."""
    repeated = np.bincount(codes)[codes] > 1 if len(codes) else np.zeros(0, bool)
    several = np.flatnonzero(repeated)
    table = songs.table.select([name for name in songs.table.column_names if name not in ("row", "file")]).take(pa.array(several))
    present = np.zeros(len(several), np.int64)
    text_keys: list[NDArray] = []
    value_keys: list[NDArray] = []
    for name in table.column_names:
        column = table.column(name)
        if name in NUMBERS:
            value_keys.append(np.nan_to_num(column.to_numpy(), nan=-np.inf))
            present += np.isfinite(value_keys[-1])
        elif pa.types.is_large_string(column.type) or pa.types.is_string(column.type):
            text_keys.append(encode(column)[1])
            present += text_keys[-1] >= 0
        elif pa.types.is_int8(column.type):
            text_keys.append(column.fill_null(-1).to_numpy())
            present += text_keys[-1] >= 0
        else:
            is_list = pa.types.is_large_list(column.type)
            lengths = pc.fill_null(pc.list_value_length(column) if is_list else column, -1).to_numpy()
            text_keys += [_list_hashes(column, lengths), lengths] if is_list else [lengths]
    keys = [*text_keys, *reversed(value_keys), present]
    return np.concatenate([np.flatnonzero(~repeated), several[np.lexsort(keys)] if len(several) else several])

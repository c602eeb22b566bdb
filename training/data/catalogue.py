"""From the rows of songs to a catalogue: one value per song and field, the genres of all rows, the similar songs by number."""

from __future__ import annotations

import itertools
import operator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

from inference.features.attributes import AUDIO, FLAGS, LABELS
from inference.features.values import LIST_SEPARATOR
from inference.features.words import TERM_SPACE
from training.data.dataset import Catalogue, Labels
from training.data.merge import Merged
from training.data.problems import Ledger
from training.data.schemas import SIMILAR
from training.data.songs import Songs
from training.data.values import TEXT, dictionary, encode

Names = list[tuple[str, ...]]


def build_catalogue(songs: Songs, merged: Merged, places: NDArray[np.int32], n_songs: int, ledger: Ledger) -> Catalogue:
    """The catalogue of ``n_songs`` songs; ``places``: int32, for each of ``merged.ids`` the number of the song.

    Songs that no row is of have empty fields. What the best row of a song lacks is taken from the next.
    """
    rows = _Rows(songs, places[merged.codes].astype(np.int64), merged.order, n_songs)
    audio_names = tuple(name for name in AUDIO if songs.has(name))
    audio = [rows.numbers(name) for name in audio_names]
    named = [name for name in songs.table.column_names if ":" in name]
    known = np.zeros(n_songs, dtype=bool)
    known[places] = True
    return Catalogue(
        titles=rows.texts("title"),
        artist_texts=rows.texts("artist_text"),
        artists=rows.names("artist"),
        genres=rows.all_names("genre"),
        years=rows.numbers("year"),
        popularity=rows.numbers("popularity"),
        audio=np.stack(audio, axis=1) if audio else np.empty((n_songs, 0), np.float32),
        audio_names=audio_names,
        known=known,
        keys=rows.codes("key"),
        modes=rows.codes("mode"),
        explicit=rows.codes("explicit"),
        labels={name: rows.labels(name) for name in LABELS if songs.has(name)}
        | {_own(name): rows.labels(name) for name in named if name.startswith("categorical:")},
        flags={name: rows.codes(name) for name in FLAGS if name != "explicit" and songs.has(name)},
        numbers={_own(name): rows.numbers(name) for name in named if name.startswith("numeric:")},
        vectors={_own(name): rows.vectors(name) for name in named if name.startswith("embedding:")},
        terms={_own(name.removesuffix("_terms")): rows.terms(name) for name in songs.table.column_names if _is_terms(name)},
        similar=_similar(songs, merged, places, ledger) if songs.has("similar_1") else None,
        units=songs.units,
        columns=songs.columns,
        separators=songs.separators,
    )


def _own(name: str) -> str:
    """The column that the user named: "numeric:plays" is "plays"."""
    return name.partition(":")[2] or name


def _is_terms(name: str) -> bool:
    return name == "lyrics_terms" or (name.startswith("text:") and name.endswith("_terms"))


class _Rows:
    """Takes for each song the value of the best row that has one."""

    def __init__(self, songs: Songs, numbers: NDArray[np.int64], order: NDArray[np.int64], n_songs: int) -> None:
        self.songs, self.numbers_of_rows, self.order, self.n_songs = songs, numbers, order, n_songs
        self.best = np.full(n_songs, -1, dtype=np.int64)
        self.best[numbers[order]] = order

    def _chosen(self, present: NDArray[np.bool_]) -> NDArray[np.int64]:
        """For each song the row to take, -1 if none has a value."""
        if present[self.best[self.best >= 0]].all():
            return self.best
        taken = np.full(self.n_songs, -1, dtype=np.int64)
        rows = self.order[present[self.order]]
        taken[self.numbers_of_rows[rows]] = rows
        return taken

    def _taken(self, name: str) -> pa.ChunkedArray:
        column = self.songs.table.column(name)
        chosen = self._chosen(pc.is_valid(column).to_numpy())
        return column.take(pa.array(chosen, mask=chosen < 0))

    def numbers(self, name: str) -> NDArray[np.float32]:
        taken = np.full(self.n_songs, np.nan, dtype=np.float32)
        if self.songs.has(name):
            values = self.songs.numbers(name)
            chosen = self._chosen(np.isfinite(values))
            taken[chosen >= 0] = values[chosen[chosen >= 0]]
        return taken

    def codes(self, name: str) -> NDArray[np.int8]:
        taken = np.full(self.n_songs, -1, dtype=np.int8)
        if self.songs.has(name):
            values = self.songs.codes(name)
            chosen = self._chosen(values >= 0)
            taken[chosen >= 0] = values[chosen[chosen >= 0]]
        return taken

    def texts(self, name: str) -> NDArray[np.object_]:
        texts = np.full(self.n_songs, "", dtype=object)
        if self.songs.has(name):
            texts[:] = self._taken(name).fill_null("").to_pylist()
        return texts

    def names(self, name: str) -> Names:
        if not self.songs.has(name):
            return [()] * self.n_songs
        encoded = dictionary(self._taken(name))
        split = [*(tuple(text.split(LIST_SEPARATOR)) for text in encoded.dictionary.to_pylist()), ()]
        return [split[place] for place in encoded.indices.fill_null(len(split) - 1).to_pylist()]

    def all_names(self, name: str) -> Names:
        """The names of all rows of a song, sorted."""
        if not self.songs.has(name):
            return [()] * self.n_songs
        encoded = dictionary(self.songs.table.column(name))
        codes = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy()
        split = [*(tuple(sorted(text.split(LIST_SEPARATOR))) for text in encoded.dictionary.to_pylist()), ()]
        rows = self.order[codes[self.order] >= 0]
        songs, codes = self.numbers_of_rows[rows], codes[rows]
        last = np.full(self.n_songs, -1, dtype=np.int64)
        last[songs] = codes
        found = [split[code] for code in last.tolist()]
        # Only what is in several rows has to be put together; of most songs there is one.
        several = np.flatnonzero((np.bincount(songs, minlength=self.n_songs) > 1)[songs])
        several = several[np.argsort(songs[several], kind="stable")]
        for song, group in itertools.groupby(
            zip(songs[several].tolist(), codes[several].tolist(), strict=True), key=operator.itemgetter(0)
        ):
            found[song] = tuple(sorted({one for _, code in group for one in split[code]}))
        return found

    def labels(self, name: str) -> Labels:
        texts, codes = encode(self._taken(name))
        return Labels(codes.astype(np.int32), tuple(texts))

    def vectors(self, name: str) -> NDArray[np.float32]:
        taken = self._taken(name).combine_chunks()
        lengths = pc.fill_null(pc.list_value_length(taken), 0).to_numpy()
        width = int(lengths.max(initial=0))
        vectors = np.full((self.n_songs, width), np.nan, dtype=np.float32)
        has = lengths == width
        if width:
            vectors[has] = np.array(taken.filter(pa.array(has)).flatten(), dtype=np.float32).reshape(-1, width)
        return vectors

    def terms(self, name: str) -> csr_array:
        """How often each term is in the text of each song."""
        taken = self._taken(name).combine_chunks()
        counts = self.songs.table.column(f"{name.removesuffix('_terms')}_counts")
        chosen = self._chosen(pc.is_valid(self.songs.table.column(name)).to_numpy())
        times = counts.take(pa.array(chosen, mask=chosen < 0)).combine_chunks()
        starts = np.concatenate([[0], np.cumsum(pc.fill_null(pc.list_value_length(taken), 0).to_numpy())])
        data = (np.asarray(times.flatten(), dtype=np.uint16), np.asarray(taken.flatten(), dtype=np.int32), starts)
        return csr_array(data, shape=(self.n_songs, TERM_SPACE))


def _similar(
    songs: Songs, merged: Merged, places: NDArray[np.int32], ledger: Ledger
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """The pairs of songs that the rows call similar and the catalogue has, each once with its largest score, sorted."""
    named = [number for number in range(1, SIMILAR + 1) if songs.has(f"similar_{number}")]
    column = pa.chunked_array([chunk for number in named for chunk in songs.table.column(f"similar_{number}").chunks], TEXT)
    found = pc.index_in(column, value_set=pa.array(merged.ids, TEXT))
    is_named, known = pc.is_valid(column).to_numpy(), pc.is_valid(found).to_numpy()
    ledger.counts["items.similar_songs_not_in_catalogue"] += int((is_named & ~known).sum())
    songs_of_rows = np.tile(merged.codes, len(named))
    known &= songs_of_rows >= 0
    scores = [songs.numbers(name) if songs.has(name := f"similar_score_{number}") else np.ones(len(merged.codes)) for number in named]
    froms, tos = places[songs_of_rows[known]], places[found.filter(pa.array(known)).to_numpy()]
    score = np.nan_to_num(np.concatenate(scores)[known]).astype(np.float32)
    pairs = froms.astype(np.int64) * (int(places.max(initial=0)) + 1) + tos
    order = np.argsort(pairs, kind="stable")
    starts = np.flatnonzero(np.diff(pairs[order], prepend=-1))
    largest = np.maximum.reduceat(score[order], starts) if len(starts) else score
    return froms[order[starts]], tos[order[starts]], largest

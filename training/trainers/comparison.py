"""Songs in the order of their clusters, and the similarity of some to others: what the content model compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from inference.sparse import entries_of
from training.content_features import ContentFeatures

_LONGEST = 512  # songs of a name whose songs are all compared with each other
_PAIRS = 200  # of such songs, for each song on average at most


@dataclass(frozen=True)
class Comparison:
    """The similarity of two songs is ``dense_i·dense_j + common_i·common_j + rare_i·rare_j``, each float32 with a row for each song.

    ``rare``: csr, the names that few songs have; ``by_rare``, the same by name. A song is compared with all that share a rare name
    (``partners``). ``common``: csr, the names of many songs.
    """

    dense: np.ndarray
    common: csr_array
    rare: csr_array
    by_rare: csr_array

    @classmethod
    def of(cls, features: ContentFeatures, songs: np.ndarray) -> Self:
        """Takes some songs, in the order given."""
        common, rare = (features.sparse[:, names] for names in split_names(features.sparse))
        rare = csr_array(rare[songs])
        return cls(features.dense[songs], csr_array(common[songs]), rare, rare.T.tocsr())

    def without_rare(self, songs: np.ndarray, candidates: list[slice]) -> np.ndarray:
        """Returns float32 (songs, candidates): the similarity but for rare names."""
        names, own = self._names_of(songs)
        left = np.hstack([self.dense[songs], own])
        parts = [slice(self.common.indptr[span.start], self.common.indptr[span.stop]) for span in candidates]
        lengths = np.concatenate([np.diff(self.common.indptr[span.start : span.stop + 1]) for span in candidates])
        theirs = np.zeros((len(lengths), len(names)), dtype=np.float32)
        place, known = _places(names, np.concatenate([self.common.indices[part] for part in parts]), self.common.shape[1])
        owners = np.repeat(np.arange(len(lengths)), lengths)
        theirs[owners[known], place] = np.concatenate([self.common.data[part] for part in parts])[known]
        right = np.hstack([np.concatenate([self.dense[span] for span in candidates]), theirs])
        return np.asarray(left @ right.T)

    def partners(self, songs: np.ndarray) -> csr_array:
        """Returns csr (songs × all songs): what rare names make two songs alike, of all pairs that share one."""
        return csr_array(self.rare[songs] @ self.by_rare)

    def of_pairs(self, songs: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Returns float32 (pairs,): the similarity but for rare names of ``songs[rows]`` and ``others``."""
        names, own = self._names_of(songs)
        out = np.einsum("ij,ij->i", self.dense[songs][rows], self.dense[others])
        entries, owners = entries_of(self.common.indptr, others)
        place, known = _places(names, self.common.indices[entries], self.common.shape[1])
        shared = own[rows[owners[known]], place] * self.common.data[entries[known]]
        return out + np.bincount(owners[known], weights=shared, minlength=len(others)).astype(np.float32)

    def _names_of(self, songs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the common names that some songs have, ascending, and float32 (songs, these names)."""
        entries, owners = entries_of(self.common.indptr, songs)
        names, places = np.unique(self.common.indices[entries], return_inverse=True)
        out = np.zeros((len(songs), len(names)), dtype=np.float32)
        out[owners, places] = self.common.data[entries]
        return names, out


def _places(names: np.ndarray, wanted: np.ndarray, n_names: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places among ``names`` of those that are there, and which of ``wanted`` these are."""
    table = np.full(n_names, -1, dtype=np.int32)
    table[names] = np.arange(len(names))
    places = table[wanted]
    known = np.flatnonzero(places >= 0)
    return places[known], known


def split_names(sparse: csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Returns the numbers of the common names, and of the rare ones: those of at most 512 songs, or of fewer, where these made more than
    200 pairs a song on average."""
    counts = np.bincount(sparse.indices, minlength=sparse.shape[1])
    songs_of = np.arange(_LONGEST + 1)
    pairs = np.cumsum(np.bincount(counts[counts <= _LONGEST], minlength=_LONGEST + 1) * songs_of**2)
    longest = int(np.searchsorted(pairs, _PAIRS * sparse.shape[0], side="right")) - 1
    return np.flatnonzero(counts > longest), np.flatnonzero(counts <= longest)

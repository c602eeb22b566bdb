"""Which songs of a world are similar: of a few of the same genre those with the nearest features."""

from dataclasses import dataclass

import numpy as np

from scripts.music_world import GENRES, Floats, Ints, World

CANDIDATES = 12  # songs of the genre that are looked at
SIMILAR = 3


@dataclass(frozen=True)
class Neighbours:
    """`by_genre`: all songs, those of one genre together, each genre's from its place in `starts`. `units`: features, of length 1."""

    world: World
    by_genre: Ints
    sizes: Ints
    starts: Ints
    units: Floats

    def of(self, songs: Ints, rng: np.random.Generator) -> tuple[Ints, Floats]:
        """The most similar songs found for each of some, nearest first, and the cosine similarity with them: (songs, `SIMILAR`)."""
        genres = self.world.genres[songs]
        offsets = (rng.random((len(songs), CANDIDATES)) * self.sizes[genres][:, None]).astype(np.int64)
        candidates = self.by_genre[self.starts[genres][:, None] + offsets]
        scores = np.einsum("sf,scf->sc", self.units[songs], self.units[candidates])
        scores[candidates == songs[:, None]] = 0.0  # not the song itself
        best = np.argsort(-scores, axis=1, kind="stable")[:, :SIMILAR]
        return np.take_along_axis(candidates, best, axis=1), np.take_along_axis(scores, best, axis=1)


def make_neighbours(world: World) -> Neighbours:
    """Sorts the songs of a world by genre."""
    sizes = np.bincount(world.genres, minlength=len(GENRES))
    units: Floats = world.features / np.linalg.norm(world.features, axis=1, keepdims=True)
    return Neighbours(world, np.argsort(world.genres, kind="stable"), sizes, np.cumsum(sizes) - sizes, units)

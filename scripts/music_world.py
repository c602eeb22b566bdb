"""A small world of music: artists in genres and scenes, songs with a mood, listeners with tastes, and what they listen to.

A *scene* is what no catalogue says: a circle of artists, across genres, that the same people like. So co-listening tells more than
genre and artist do, as it does in the real world.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# name, with sub-genre; energy, danceability, valence, acousticness, speechiness, instrumentalness, tempo, usual year
GENRES: dict[str, tuple[float, ...]] = {
    "rock": (0.75, 0.50, 0.50, 0.15, 0.05, 0.10, 125, 1995),
    "indie rock,alternative rock": (0.70, 0.52, 0.48, 0.18, 0.05, 0.12, 124, 2010),
    "metal,heavy metal": (0.93, 0.38, 0.30, 0.02, 0.09, 0.20, 128, 2006),
    "punk,punk rock": (0.92, 0.46, 0.55, 0.03, 0.08, 0.04, 150, 2001),
    "pop": (0.66, 0.66, 0.55, 0.20, 0.06, 0.01, 118, 2015),
    "dance pop,electropop": (0.76, 0.72, 0.60, 0.08, 0.07, 0.03, 122, 2014),
    "hip hop": (0.66, 0.76, 0.50, 0.15, 0.26, 0.01, 105, 2014),
    "hip hop,trap": (0.62, 0.78, 0.38, 0.12, 0.22, 0.02, 140, 2019),
    "rnb,soul": (0.50, 0.66, 0.48, 0.35, 0.09, 0.02, 100, 2012),
    "soul,funk": (0.60, 0.70, 0.75, 0.35, 0.06, 0.04, 108, 1976),
    "country": (0.62, 0.58, 0.58, 0.32, 0.04, 0.01, 120, 2009),
    "folk,singer-songwriter": (0.35, 0.50, 0.38, 0.75, 0.04, 0.06, 112, 2008),
    "jazz": (0.32, 0.52, 0.48, 0.76, 0.05, 0.38, 110, 1975),
    "blues": (0.48, 0.54, 0.56, 0.52, 0.05, 0.10, 115, 1980),
    "classical": (0.16, 0.30, 0.20, 0.94, 0.04, 0.80, 98, 1990),
    "electronic,house": (0.80, 0.74, 0.50, 0.05, 0.06, 0.50, 125, 2016),
    "electronic,techno": (0.82, 0.70, 0.35, 0.04, 0.07, 0.75, 130, 2017),
    "ambient": (0.18, 0.32, 0.14, 0.82, 0.05, 0.84, 92, 2013),
    "reggae": (0.58, 0.76, 0.72, 0.20, 0.11, 0.03, 120, 1992),
    "latin,reggaeton": (0.74, 0.76, 0.66, 0.20, 0.10, 0.01, 110, 2018),
}
FEATURES = ("energy", "danceability", "valence", "acousticness", "speechiness", "instrumentalness")
SPREAD = np.array([0.14, 0.12, 0.18, 0.15, 0.05, 0.12])
LAST_YEAR = 2024
COLD_SHARE = 0.01


@dataclass(frozen=True)
class World:
    """Songs as arrays over songs; `popularity` is the weight with which a song is found, 0 for one that is too new to be."""

    n_scenes: int
    artists: Ints
    guests: Ints  # a second artist, -1 for most songs
    genres: Ints
    scenes: Ints
    features: Floats  # songs x FEATURES, 0-1
    tempo: Floats
    years: Ints
    popularity: Floats

    @property
    def moods(self) -> Ints:
        """0-3: whether a song is livelier, and whether it is gladder, than its genre."""
        profile = np.array(list(GENRES.values()))[self.genres]
        return 2 * (self.features[:, 0] > profile[:, 0]).astype(np.int64) + (self.features[:, 2] > profile[:, 2])

    def part(self, start: int, stop: int) -> "World":
        """The songs from `start` to before `stop`, by the same artists, in the same scenes."""
        songs = {name: values[start:stop] for name, values in vars(self).items() if isinstance(values, np.ndarray)}
        return World(self.n_scenes, **songs)


def make_world(n_songs: int, rng: np.random.Generator) -> World:
    """`n_songs` songs by about a twelfth as many artists, in scenes of about 60 songs."""
    n_genres = len(GENRES)
    n_artists, n_scenes = max(n_songs // 12, 3), max(n_songs // 60, 8)
    scene_genres = np.stack([np.arange(n_scenes) % n_genres, rng.integers(0, n_genres, n_scenes)], axis=1)
    artist_scenes = rng.integers(0, n_scenes, n_artists)
    artist_genres = scene_genres[artist_scenes, (rng.random(n_artists) < 0.35).astype(np.int64)]
    artist_fame = rng.lognormal(0.0, 0.9, n_artists)
    artist_start = rng.normal(0, 8, n_artists)

    productive = rng.lognormal(0.0, 0.7, n_artists)
    artists = rng.choice(n_artists, n_songs, p=productive / productive.sum())
    guests = np.where(rng.random(n_songs) < 0.08, rng.integers(0, n_artists, n_songs), -1)
    guests[guests == artists] = -1
    genres = np.where(rng.random(n_songs) < 0.9, artist_genres[artists], rng.integers(0, n_genres, n_songs))
    scenes = np.where(rng.random(n_songs) < 0.75, artist_scenes[artists], rng.integers(0, n_scenes, n_songs))

    profile = np.array(list(GENRES.values()))[genres]
    features = np.clip(profile[:, :6] + rng.normal(0, 1, (n_songs, 6)) * SPREAD, 0, 1)
    years = np.clip(profile[:, 7] + artist_start[artists] + rng.normal(0, 4, n_songs), 1950, LAST_YEAR - 1).astype(np.int64)
    popularity = artist_fame[artists] * rng.lognormal(0.0, 0.8, n_songs)
    cold = rng.choice(n_songs, round(n_songs * COLD_SHARE), replace=False)
    popularity[cold], years[cold] = 0.0, LAST_YEAR
    tempo = np.clip(profile[:, 6] + rng.normal(0, 20, n_songs), 50, 215)
    return World(n_scenes, artists, guests, genres, scenes, features, tempo, years, popularity)

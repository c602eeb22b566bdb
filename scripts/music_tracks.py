"""Writes songs of a small world as the rows of the public 20-column Spotify tracks file: one row for each genre of a song."""

from collections.abc import Iterator

import numpy as np

from scripts.music_measures import measure
from scripts.music_names import Names
from scripts.music_world import FEATURES, GENRES, Ints

HEADER = (
    *("track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit", "danceability", "energy", "key"),
    *("loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness", "valence", "tempo", "time_signature"),
    "track_genre",
)
REPEATED = 0.27  # rows for each song beyond the first, of another genre
SAME_GENRE = 0.015  # of these, no different from the first
STYLES = ("", "deep-", "modern-", "classic-")  # 27 names of genres make about as many as the public file has
GENRE_NAMES = sorted({style + name.replace(" ", "-") for several in GENRES for name in several.split(",") for style in STYLES})


def track_columns(names: Names, ids: list[str], songs: Ints, rng: np.random.Generator) -> list[list[str]]:
    """The 20 columns of text, one value for each of some songs, whose numbers follow one another."""
    world = names.world.part(int(songs[0]), int(songs[-1]) + 1)
    measures = measure(world, rng)
    features = dict(zip(FEATURES, world.features.T, strict=True)) | {"liveness": measures.liveness}
    own = [[style + name.replace(" ", "-") for name in several.split(",") for style in STYLES] for several in GENRES]
    which = rng.integers(0, len(STYLES), len(songs)).tolist()
    columns = {
        "track_id": [ids[song] for song in songs.tolist()],
        "artists": names.artists_of(songs, ";"),
        "album_name": names.draw_albums(songs, rng),
        "track_name": names.titles_of(songs),
        "popularity": list(map(str, measures.popularity.tolist())),
        "duration_ms": list(map(str, (measures.seconds * 1000).astype(np.int64).tolist())),
        "explicit": list(map(str, measures.explicit.tolist())),
        **{name: [f"{value:.3g}" for value in values.tolist()] for name, values in features.items()},
        "key": list(map(str, measures.keys.tolist())),
        "loudness": [f"{value:.3f}" for value in measures.loudness.tolist()],
        "mode": list(map(str, measures.major.astype(int).tolist())),
        "tempo": [f"{value:.3f}" for value in world.tempo.tolist()],
        "time_signature": list(map(str, measures.beats.tolist())),
        "track_genre": [own[genre][style] for genre, style in zip(world.genres.tolist(), which, strict=True)],
    }
    return [columns[name] for name in HEADER]


def rows(columns: list[list[str]], repeated: int, rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """The rows of these songs and `repeated` more, of another genre, sorted by genre."""
    n_songs = len(columns[0])
    again = rng.integers(0, n_songs, repeated).tolist()
    other = rng.integers(0, len(GENRE_NAMES), repeated).tolist()
    same = (rng.random(repeated) < SAME_GENRE).tolist()
    values = list(zip(*columns, strict=True))
    for song, genre, as_before in zip(again, other, same, strict=True):
        values.append(values[song] if as_before else (*values[song][:-1], GENRE_NAMES[genre]))
    yield from sorted(values, key=lambda row: row[-1])

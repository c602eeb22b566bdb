"""Writes songs of a small world as the rows of the public 39-column Spotify songs file, in its own spelling of values."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from scripts.music_measures import PITCHES, Measures, measure
from scripts.music_names import Names
from scripts.music_similar import SIMILAR, Neighbours
from scripts.music_words import lyrics
from scripts.music_world import FEATURES, GENRES, Ints, World

HEADER = (
    *("Artist(s)", "song", "text", "Length", "emotion", "Genre", "Album", "Release Date", "Key", "Tempo", "Loudness (db)"),
    *("Time signature", "Explicit", "Popularity", "Energy", "Danceability", "Positiveness", "Speechiness", "Liveness"),
    *("Acousticness", "Instrumentalness", "Good for Party", "Good for Work/Study", "Good for Relaxation/Meditation"),
    *("Good for Exercise", "Good for Running", "Good for Yoga/Stretching", "Good for Driving", "Good for Social Gatherings"),
    *("Good for Morning Routine", "Similar Artist 1", "Similar Song 1", "Similarity Score 1", "Similar Artist 2"),
    *("Similar Song 2", "Similarity Score 2", "Similar Artist 3", "Similar Song 3", "Similarity Score 3"),
)
# How many cells of a column are empty.
MISSING = {"Length": 0.002, "emotion": 0.01, "Genre": 0.005, "Album": 0.01, "Release Date": 0.02, "Key": 0.003, "Loudness (db)": 0.002}
EMOTIONS = ("sadness", "fear", "joy", "anger", "love", "surprise")
REPEATED = 0.06  # rows for each song that say no more than others
SHOUTED = 1 / 6  # of these, in capitals
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def song_columns(names: Names, neighbours: Neighbours, songs: Ints, lines: int, between: str, rng: np.random.Generator) -> list[list[str]]:
    """The 39 columns of text, one value for each of some songs, whose numbers follow one another. `lines`: of lyrics, see `lyrics`."""
    world = names.world.part(int(songs[0]), int(songs[-1]) + 1)
    columns = {
        "Artist(s)": names.artists_of(songs, ","),
        "song": names.titles_of(songs),
        "text": lyrics(len(songs), lines, between, rng),
        "Album": names.draw_albums(songs, rng),
        **_descriptions(world, rng),
        **_numbers(world, measure(world, rng)),
        **_activities(world),
        **_similar_songs(names, neighbours, songs, rng),
    }
    for name, share in MISSING.items():
        for place in np.flatnonzero(rng.random(len(songs)) < share).tolist():
            columns[name][place] = ""
    return [columns[name] for name in HEADER]


def rows(columns: list[list[str]], repeated: int, rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """The rows of these songs, sorted by artist, and `repeated` more: some the same, some with the title in capitals."""
    n_songs = len(columns[0])
    again = rng.integers(0, n_songs, repeated)
    shouted = np.bincount(again[: round(repeated * SHOUTED)], minlength=n_songs).tolist()
    more = np.bincount(again, minlength=n_songs).tolist()
    artists, albums = columns[HEADER.index("Artist(s)")], columns[HEADER.index("Album")]
    values = list(zip(*columns, strict=True))
    for song in sorted(range(n_songs), key=lambda number: (artists[number], albums[number], number)):
        row = values[song]
        yield row
        for place in range(more[song]):
            yield (row[0], row[1].upper(), *row[2:]) if place < shouted[song] else row


def _descriptions(world: World, rng: np.random.Generator) -> dict[str, list[str]]:
    n_songs = len(world.artists)
    genre_names = list(GENRES)
    energy, valence = world.features[:, 0], world.features[:, 2]
    emotions = np.where(rng.random(n_songs) < 0.1, rng.integers(4, 6, n_songs), 2 * (valence > 0.5) + (energy > 0.7) * (valence < 0.5))
    emotions = np.where((emotions == 1) & (rng.random(n_songs) < 0.8), 3, emotions)
    days = rng.integers(0, 365, n_songs).tolist()
    return {
        "emotion": [EMOTIONS[number] for number in emotions.tolist()],
        "Genre": [genre_names[number] for number in world.genres.tolist()],
        "Release Date": [spelled_date(date(year, 1, 1) + timedelta(day)) for year, day in zip(world.years.tolist(), days, strict=True)],
    }


def _numbers(world: World, measures: Measures) -> dict[str, list[str]]:
    percent = dict(zip(FEATURES, np.rint(world.features * 100).astype(np.int64).T, strict=True))
    keys = zip(measures.keys.tolist(), measures.major.tolist(), strict=True)
    return {
        "Length": [f"{seconds // 60:02d}:{seconds % 60:02d}" for seconds in measures.seconds.astype(np.int64).tolist()],
        "Key": [f"{PITCHES[key]} {'Maj' if major else 'min'}" for key, major in keys],
        "Tempo": _whole(np.rint(world.tempo).astype(np.int64)),
        "Loudness (db)": [f"{value:g}db" for value in np.round(measures.loudness, 2).tolist()],
        "Time signature": [f"{beats}/4" for beats in measures.beats.tolist()],
        "Explicit": ["Yes" if explicit else "No" for explicit in measures.explicit.tolist()],
        "Popularity": _whole(measures.popularity),
        "Energy": _whole(percent["energy"]),
        "Danceability": _whole(percent["danceability"]),
        "Positiveness": _whole(percent["valence"]),
        "Speechiness": _whole(percent["speechiness"]),
        "Liveness": _whole((measures.liveness * 100).astype(np.int64)),
        "Acousticness": _whole(percent["acousticness"]),
        "Instrumentalness": _whole(percent["instrumentalness"]),
    }


def _activities(world: World) -> dict[str, list[str]]:
    energy, danceability, valence, acousticness, speechiness, instrumentalness = world.features.T
    flags = {
        "Good for Party": (energy > 0.7) & (danceability > 0.7),
        "Good for Work/Study": (instrumentalness > 0.5) & (speechiness < 0.1),
        "Good for Relaxation/Meditation": (energy < 0.3) & (acousticness > 0.6),
        "Good for Exercise": (energy > 0.75) & (world.tempo > 110),
        "Good for Running": (energy > 0.7) & (world.tempo > 140),
        "Good for Yoga/Stretching": (energy < 0.35) & (world.tempo < 100),
        "Good for Driving": (energy > 0.55) & (valence > 0.55),
        "Good for Social Gatherings": (danceability > 0.65) & (valence > 0.6),
        "Good for Morning Routine": (valence > 0.65) & (energy < 0.7),
    }
    return {name: _whole(flag.astype(np.int64)) for name, flag in flags.items()}


def _similar_songs(names: Names, neighbours: Neighbours, songs: Ints, rng: np.random.Generator) -> dict[str, list[str]]:
    similar, scores = neighbours.of(songs, rng)
    columns: dict[str, list[str]] = {}
    for place in range(SIMILAR):
        columns[f"Similar Artist {place + 1}"] = names.artists_of(similar[:, place], ",")
        columns[f"Similar Song {place + 1}"] = names.titles_of(similar[:, place])
        columns[f"Similarity Score {place + 1}"] = [f"{score:.12g}" for score in scores[:, place].tolist()]
    return columns


def spelled_date(day: date) -> str:
    """A date as the public file has it: "29th April 2013"."""
    ending = "th" if 11 <= day.day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return f"{day.day}{ending} {MONTHS[day.month - 1]} {day.year}"


def _whole(values: Ints) -> list[str]:
    return [str(value) for value in values.tolist()]

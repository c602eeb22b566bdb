"""Writes the songs of a small world as the rows of the public 39-column Spotify songs file, in its own spelling of values."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from scripts.music_words import ALBUM_FORMS, artist_names, fill, lyrics, song_titles
from scripts.music_world import FEATURES, GENRES, Floats, Ints, World

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
KEYS = [f"{note} {mode}" for mode in ("Maj", "min") for note in ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")]
EMOTIONS = ("sadness", "fear", "joy", "anger", "love", "surprise")
DUPLICATES, OTHER_CASE = 0.05, 0.01
CANDIDATES = 12  # songs of the genre that are looked at to find the three similar ones


def song_columns(world: World, n_lines: int, rng: np.random.Generator) -> dict[str, list[str]]:
    """The 39 columns of text, one value per song, in the order of the songs' numbers."""
    names = artist_names(int(max(world.artists.max(), world.guests.max())) + 1, rng)
    artists = [
        names[artist] + (f",{names[guest]}" if guest >= 0 else "")
        for artist, guest in zip(world.artists.tolist(), world.guests.tolist(), strict=True)
    ]
    titles = song_titles(world.artists, rng)
    columns = {
        "Artist(s)": artists,
        "song": titles,
        "text": lyrics(len(titles), n_lines, rng),
        **_descriptions(world, rng),
        **_numbers(world, rng),
        **_activities(world),
        **_similar_songs(world, artists, titles, rng),
    }
    for name, share in MISSING.items():
        for place in np.flatnonzero(rng.random(len(titles)) < share).tolist():
            columns[name][place] = ""
    return {name: columns[name] for name in HEADER}


def rows(columns: dict[str, list[str]], rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """The rows of the file, sorted by artist: some twice, some a second time with the title in capitals, as in the public file."""
    n_songs = len(columns["song"])
    twice, shouted = rng.random(n_songs) < DUPLICATES, rng.random(n_songs) < OTHER_CASE
    values = list(zip(*columns.values(), strict=True))
    for song in sorted(range(n_songs), key=lambda number: (columns["Artist(s)"][number], columns["Album"][number], number)):
        yield values[song]
        if twice[song]:
            yield values[song]
        if shouted[song]:
            yield (values[song][0], values[song][1].upper(), *values[song][2:])


def _descriptions(world: World, rng: np.random.Generator) -> dict[str, list[str]]:
    n_songs = len(world.artists)
    genre_names = list(GENRES)
    energy, valence = world.features[:, 0], world.features[:, 2]
    emotions = np.where(rng.random(n_songs) < 0.1, rng.integers(4, 6, n_songs), 2 * (valence > 0.5) + (energy > 0.7) * (valence < 0.5))
    emotions = np.where((emotions == 1) & (rng.random(n_songs) < 0.8), 3, emotions)
    n_albums = 1 + np.bincount(world.artists) // 8
    albums = fill(ALBUM_FORMS, world.artists * 7919 + rng.integers(0, n_albums[world.artists]) * 104_729)
    days = rng.integers(0, 365, n_songs).tolist()
    lengths = np.clip(rng.normal(215, 55, n_songs), 45, 900).astype(np.int64).tolist()
    return {
        "Length": [f"{seconds // 60:02d}:{seconds % 60:02d}" for seconds in lengths],
        "emotion": [EMOTIONS[number] for number in emotions.tolist()],
        "Genre": [genre_names[number] for number in world.genres.tolist()],
        "Album": albums,
        "Release Date": [spelled_date(date(year, 1, 1) + timedelta(day)) for year, day in zip(world.years.tolist(), days, strict=True)],
        "Key": [KEYS[number] for number in rng.integers(0, len(KEYS), n_songs).tolist()],
        "Time signature": [("4/4", "3/4", "5/4")[number] for number in rng.choice(3, n_songs, p=[0.92, 0.06, 0.02]).tolist()],
    }


def _numbers(world: World, rng: np.random.Generator) -> dict[str, list[str]]:
    n_songs = len(world.artists)
    percent = dict(zip(FEATURES, np.rint(world.features * 100).astype(np.int64).T, strict=True))
    found = np.log(np.where(world.popularity > 0, world.popularity, 0.05))
    popularity = np.clip(np.rint(34 + 13 * found + rng.normal(0, 5, n_songs)), 0, 100).astype(np.int64)
    loudness = np.round(-14 + 10 * world.features[:, 0] + rng.normal(0, 1.5, n_songs), 2).tolist()
    return {
        "Tempo": _whole(np.rint(world.tempo).astype(np.int64)),
        "Loudness (db)": [f"{value:g}db" for value in loudness],
        "Explicit": ["Yes" if explicit else "No" for explicit in (rng.random(n_songs) < 0.05 + 2 * world.features[:, 4]).tolist()],
        "Popularity": _whole(popularity),
        "Energy": _whole(percent["energy"]),
        "Danceability": _whole(percent["danceability"]),
        "Positiveness": _whole(percent["valence"]),
        "Speechiness": _whole(percent["speechiness"]),
        "Liveness": _whole(np.clip(rng.gamma(2.0, 9.0, n_songs), 1, 99).astype(np.int64)),
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


def _similar_songs(world: World, artists: list[str], titles: list[str], rng: np.random.Generator) -> dict[str, list[str]]:
    """Of a few songs of the genre the three with the nearest features, and the cosine similarity with them."""
    by_genre = np.argsort(world.genres, kind="stable")
    sizes = np.bincount(world.genres, minlength=len(GENRES))
    starts = np.cumsum(sizes) - sizes
    offsets = (rng.random((len(titles), CANDIDATES)) * sizes[world.genres][:, None]).astype(np.int64)
    candidates = by_genre[starts[world.genres][:, None] + offsets]
    units: Floats = world.features / np.linalg.norm(world.features, axis=1, keepdims=True)
    scores = np.einsum("sf,scf->sc", units, units[candidates])
    scores[candidates == np.arange(len(titles))[:, None]] = 0.0  # not the song itself
    best = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    similar: Ints = np.take_along_axis(candidates, best, axis=1)
    scores = np.take_along_axis(scores, best, axis=1)
    columns: dict[str, list[str]] = {}
    for place in range(3):
        songs = similar[:, place].tolist()
        columns[f"Similar Artist {place + 1}"] = [artists[song] for song in songs]
        columns[f"Similar Song {place + 1}"] = [titles[song] for song in songs]
        columns[f"Similarity Score {place + 1}"] = [f"{score:.12g}" for score in scores[:, place].tolist()]
    return columns


def spelled_date(day: date) -> str:
    """A date as the public file has it: "29th April 2013"."""
    ending = "th" if 11 <= day.day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return f"{day.day}{ending} {MONTHS[day.month - 1]} {day.year}"


MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def _whole(values: Ints) -> list[str]:
    return [str(value) for value in values.tolist()]

"""A catalogue of made-up songs with every kind of column, and each song as somebody would describe it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from inference.features.attributes import AUDIO
from inference.features.language import language
from inference.features.words import TERM_SPACE, term_counts
from training.data.dataset import Catalogue, Labels

GENRES = ("deep house", "house", "tech house", "death metal", "black metal", "metal", "folk", "indie folk")
WORDS = "sun moon star river road home night fire rain heart dance dream gold blue wind stone".split()
FLAGS = ("explicit", "good_for_running", "good_for_party")


def described(n: int, seed: int = 0) -> list[dict[str, Any]]:
    """Returns the songs by our roles; each value is missing now and then. Songs of one family of genres share words and sound."""
    rng = np.random.default_rng(seed)
    songs: list[dict[str, Any]] = []
    for i in range(n):
        family = int(rng.integers(0, 3))
        genres = sorted(rng.choice(GENRES[3 * family : 3 * family + 3], size=int(rng.integers(1, 3)), replace=False).tolist())
        words = rng.choice(WORDS[5 * family : 5 * family + 6], size=12).tolist()
        song: dict[str, Any] = {
            **{name: float(np.float32(rng.random())) for name in AUDIO},
            **{"loudness": -float(rng.integers(1, 30)), "tempo": float(rng.integers(60, 200)), "duration": float(rng.integers(60, 400))},
            **{"artist": [f"artist {family} {rng.integers(0, 4)}"], "genre": genres, "year": 1960 + 20 * family + int(rng.integers(0, 9))},
            **{"popularity": int(rng.integers(0, 101)), "key": int(rng.integers(0, 12)), "mode": int(rng.integers(0, 2))},
            **{name: bool(rng.integers(0, 2)) for name in FLAGS},
            **{"album": f"Album {i // 3}", "emotion": ("joy", "sadness", "blue")[i % 3], "time_signature": "4/4", "title": f"Song {i}"},
            **{"lyrics": " ".join(["you and I", *words]), "Notes": " ".join(words[:4])},
            **{
                "Plays (all)": float(rng.integers(0, 1000)),
                "label": ("Red  Records", "blue")[i % 2],
                "emb": [float(family), 1.0, float(i % 5)],
            },
        }
        songs.append({name: value for name, value in song.items() if rng.random() > 0.1})
    return songs


def catalogue(songs: list[dict[str, Any]]) -> Catalogue:
    """Returns the songs as extraction hands them on."""
    n = len(songs)
    audio = np.array([[song.get(name, np.nan) for name in AUDIO] for song in songs], dtype=np.float32).reshape(n, len(AUDIO))
    lyrics = [language(song["lyrics"]) if "lyrics" in song else "" for song in songs]
    return Catalogue(
        titles=np.array([song.get("title", "") for song in songs], dtype=object),
        artist_texts=np.array([", ".join(song.get("artist", ())) for song in songs], dtype=object),
        artists=[tuple(song.get("artist", ())) for song in songs],
        genres=[tuple(song.get("genre", ())) for song in songs],
        years=numbers(songs, "year"),
        popularity=numbers(songs, "popularity"),
        audio=audio,
        audio_names=AUDIO,
        known=np.ones(n, dtype=bool),
        keys=np.array([song.get("key", -1) for song in songs], dtype=np.int8),
        modes=np.array([song.get("mode", -1) for song in songs], dtype=np.int8),
        explicit=flags(songs, "explicit"),
        labels={
            **{name: labels([song.get(name, "") for song in songs]) for name in ("album", "emotion", "time_signature")},
            **{"language": labels(lyrics), "label": labels([" ".join(song.get("label", "").split()) for song in songs])},
        },
        flags={name: flags(songs, name) for name in FLAGS[1:]},
        numbers={"Plays (all)": numbers(songs, "Plays (all)")},
        vectors={"emb": np.array([song.get("emb", [np.nan] * 3) for song in songs], dtype=np.float32).reshape(n, 3)},
        terms={name: terms([song.get(name, "") for song in songs]) for name in ("lyrics", "Notes")},
        columns={"artist": "Artist(s)", "numeric:Plays (all)": "Plays (all)", "categorical:label": "label"},
    )


def numbers(songs: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([song.get(name, np.nan) for song in songs], dtype=np.float32)


def flags(songs: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([int(song.get(name, -1)) for song in songs], dtype=np.int8)


def labels(names: list[str]) -> Labels:
    distinct = sorted({name for name in names if name})
    return Labels(np.array([distinct.index(name) if name else -1 for name in names], dtype=np.int32), tuple(distinct))


def terms(texts: list[str]) -> csr_array:
    rows = [term_counts(text) for text in texts]
    indptr = np.concatenate([[0], np.cumsum([len(found) for found, _ in rows])])
    flat = [np.concatenate([np.empty(0, int), *(row[part] for row in rows)]) for part in (0, 1)]
    return csr_array((flat[1].astype(np.uint16), flat[0].astype(np.int32), indptr), shape=(len(texts), TERM_SPACE))

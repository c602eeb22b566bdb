"""From the file to the features: each row of it, sent to the online transform as it is written there, has the stored ones."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from training.config import TrainingConfig
from training.data.extract import extract
from training.data.ids import song_key
from training.features import fit_transform

RNG = np.random.default_rng(7)
KEYS = ("D min", "C#/Db Maj", "F Maj", "A min", "")
VERSES = ("I was on the road with you and all that we had was the night", "que no me digas que te vas porque la noche es de los dos")


def lyrics_rows(n: int) -> list[dict[str, str]]:
    """The columns of the Spotify songs file, in its spelling."""
    per_cent = ("Energy", "Danceability", "Positiveness", "Speechiness", "Liveness", "Acousticness", "Instrumentalness")
    return [
        {
            **{"Artist(s)": f"Ann {i % 7},Bob", "song": f"Song {i}", "text": f"{VERSES[i % 2]} {'fire rain wind'.split()[i % 3]} {i % 4}"},
            **{
                "Length": f"0{i % 7 + 1}:{i % 60:02d}",
                "emotion": ("joy", "Anger", "thirst")[i % 3],
                "Genre": ("hip hop", "rock,pop rock")[i % 2],
            },
            **{"Album": f"Album  {i // 5}", "Release Date": f"29th April {1980 + i % 40}", "Key": KEYS[i % 5], "Tempo": str(60 + i)},
            **{"Loudness (db)": f"-{i % 20}.85db", "Time signature": "4/4", "Explicit": ("Yes", "No")[i % 2], "Popularity": str(i % 101)},
            **{name: str(RNG.integers(0, 101)) for name in per_cent},
            **{"Good for Running": str(i % 2), "Good for Work/Study": str(i % 3 // 2), "Streams": str(i * i)},
        }
        for i in range(n)
    ]


def track_rows(n: int) -> list[dict[str, str]]:
    """The columns of the Spotify tracks file, in its spelling."""
    shares = ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence")
    return [
        {
            **{"track_id": f"id{i}", "artists": f"Ann {i % 7};Cat", "album_name": f"Album {i // 5}", "track_name": f"Song {i}"},
            **{"popularity": str(i % 101), "duration_ms": str(150_000 + 777 * i), "explicit": ("False", "True")[i % 2], "key": str(i % 12)},
            **{"mode": str(i % 2), "loudness": f"{-RNG.uniform(1, 30):.3f}", "tempo": f"{RNG.uniform(60, 200):.3f}", "time_signature": "4"},
            **{name: f"{RNG.random():.4f}" for name in shares},
            **{"track_genre": ("acoustic", "deep-house", "house")[i % 3]},
        }
        for i in range(n)
    ]


@pytest.mark.parametrize(("rows", "key", "own"), [(lyrics_rows(60), "", {"features_numeric": "Streams"}), (track_rows(60), "track_id", {})])
def test_each_row_of_a_file_has_online_the_features_that_are_stored(
    tmp_path: Path, rows: list[dict[str, str]], key: str, own: dict[str, str]
) -> None:
    with (tmp_path / "songs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    config = TrainingConfig.from_hyperparameters({"features_lyrics_dimensions": "4", **own})
    dataset = extract({"items": tmp_path}, config)
    assert dataset.catalogue is not None
    transform, store = fit_transform(dataset.catalogue, config.features, np.arange(60) % 4 > 0, 1)
    place = {identifier: number for number, identifier in enumerate(dataset.item_ids.tolist())}
    assert len(place) == 60
    for row in rows:
        number = place[row[key] if key else song_key(row["Artist(s)"], row["song"])]
        found, stored = transform.features(row), store.row(number)
        assert found == stored
        assert stored["energy"] is not None
        assert stored["genres"]

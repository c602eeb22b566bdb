"""The real data sets train as they are, with hyperparameters alone. They are not part of the project."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.config import TrainingConfig
from training.data.config import DataConfig
from training.data.dataset import Dataset
from training.data.extract import extract

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the folder ../shared/data with the real data sets is not here")


def read(channels: dict[str, str], **config: Any) -> Dataset:
    return extract({name: FOLDER / path for name, path in channels.items()}, TrainingConfig(data=DataConfig(**config)))


def test_playlists_are_listeners_and_most_songs_have_events() -> None:
    channels = {
        "interactions": "music-playlists/interactions.parquet",
        "items": "music-playlists/songs.parquet",
        "users": "music-playlists/playlists.parquet",
    }
    detected = read(channels)
    assert detected.counts == read(channels, user_column="playlist_id", item_column="song_id").counts
    assert (detected.n_users, detected.n_items, len(detected.interactions)) == (5959, 56224, 390256)
    assert detected.catalogue is not None
    assert detected.catalogue.known.all()
    assert detected.catalogue.audio.shape == (56224, 10)
    assert not np.isnan(detected.catalogue.audio[:, :8]).any()


def test_tracks_without_features_have_titles_and_artists() -> None:
    dataset = read({"interactions": "music-playlists-large/interactions.parquet", "items": "music-playlists-large/tracks.parquet"})
    assert (dataset.n_users, dataset.n_items, len(dataset.interactions)) == (6051, 182046, 565040)
    assert dataset.counts["interactions.rows_merged"] == 8134
    assert dataset.catalogue is not None
    assert dataset.catalogue.audio.shape == (182046, 0)


def test_the_public_split_keeps_its_users_items_and_test_pairs() -> None:
    dataset = read({"train": "gowalla/train.parquet", "test": "gowalla/test.parquet"})
    assert dataset.test is not None
    assert (dataset.n_users, dataset.n_items, len(dataset.interactions), len(dataset.test)) == (29858, 40981, 810128, 217242)


def test_ratings_become_likes_with_a_minimum() -> None:
    names = {"title_column": "movie_title", "genre_column": "class", "genre_separators": " "}
    dataset = read({"train": "ml-100k/ratings.parquet", "items": "ml-100k/items.parquet"}, min_event_value=4, **names)
    assert (dataset.n_items, len(dataset.interactions)) == (1682, 55375)
    assert dataset.interactions.timestamps is not None
    assert dataset.catalogue is not None
    assert dataset.catalogue.genres[0] == ("animation", "children's", "comedy")


def test_114_thousand_rows_are_89741_songs() -> None:
    dataset = read({"items": "songs-114k/dataset.csv.gz"})
    assert dataset.n_items == 89741
    assert dataset.counts["items.rows_merged"] == 114_000 - 89_741
    assert dataset.catalogue is not None
    assert len({genre for genres in dataset.catalogue.genres for genre in genres}) == 114
    assert not np.isnan(dataset.catalogue.popularity).any()


def test_the_large_catalogue_keeps_its_songs_without_name() -> None:
    dataset = read({"items": "songs-316k/songs.parquet"})
    assert dataset.catalogue is not None
    assert dataset.n_items == 316_708
    assert (dataset.catalogue.titles == "").sum() == 10_804


def test_the_39_columns_are_read_without_loss_of_a_value() -> None:
    dataset = read({"items": "songs-lyrics-sample/spotify_dataset.csv.gz"})
    counts = dataset.counts
    assert counts["items.rows_read"] == 600 == dataset.n_items + counts["items.rows_merged"]
    assert {kind.kind for kind in dataset.ledger.problems} == {"duplicate_row"}
    catalogue = dataset.catalogue
    assert catalogue is not None
    assert not np.isnan(catalogue.audio).any()
    assert not np.isnan(catalogue.years).any()
    assert catalogue.audio[:, 0].max() <= 1

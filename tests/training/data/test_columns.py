"""Which column is what: detected by name, or named by hyperparameters."""

from pathlib import Path

import pytest

from inference.features.attributes import AUDIO
from training.data.choose import event_columns, song_columns
from training.data.config import DataConfig, FeaturesConfig
from training.data.errors import UserDataError


def names(header: str) -> list[str]:
    return header.split(",")


SPOTIFY_TRACKS = names(
    "track_id,artists,album_name,track_name,popularity,duration_ms,explicit,danceability,energy,key,loudness,mode,speechiness,"
    "acousticness,instrumentalness,liveness,valence,tempo,time_signature,track_genre"
)
SPOTIFY_SONGS = names(
    "Artist(s),song,text,Length,emotion,Genre,Album,Release Date,Key,Tempo,Loudness (db),Time signature,Explicit,Popularity,Energy,"
    "Danceability,Positiveness,Speechiness,Liveness,Acousticness,Instrumentalness,Good for Party,Similar Artist 1,Similar Song 1"
)
HERE = Path("songs.csv")


def song_roles(columns: list[str], **config: str) -> dict[str, str]:
    return song_columns(HERE, columns, DataConfig(**config), FeaturesConfig(), strict=True)[1]  # type: ignore[arg-type]


def event_roles(columns: list[str], **config: str) -> dict[str, str]:
    return event_columns(HERE, columns, DataConfig(**config), strict=True)[1]  # type: ignore[arg-type]


def test_the_public_tracks_file_is_understood() -> None:
    roles = song_roles(SPOTIFY_TRACKS)
    assert {"item": "track_id", "title": "track_name", "artist": "artists", "genre": "track_genre"}.items() <= roles.items()
    assert roles["duration"] == "duration_ms"
    assert set(AUDIO) <= roles.keys()
    assert "year" not in roles


def test_the_public_songs_file_with_lyrics_is_understood() -> None:
    roles = song_roles(SPOTIFY_SONGS)
    assert {
        "title": "song",
        "artist": "Artist(s)",
        "genre": "Genre",
        "year": "Release Date",
        "valence": "Positiveness",
    }.items() <= roles.items()
    assert roles["duration"] == "Length"
    assert roles["loudness"] == "Loudness (db)"
    assert set(AUDIO) <= roles.keys()
    assert "item" not in roles


@pytest.mark.parametrize(
    "columns",
    [
        ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"],
        ["user_id", "item_id", "timestamp", "event_type", "event_value"],
        ["userId", "itemId", "Timestamp", "eventType", "eventValue"],
        ["User ID", "Item-ID", " timestamp ", "Event Type", "Event.Value"],
        ["user", "track_id", "played_at", "event", "rating"],
        ["playlist_id", "song_id", "date", "action", "plays"],
    ],
)
def test_columns_of_events_are_found_in_any_case(columns: list[str]) -> None:
    assert event_roles(columns) == dict(zip(["user", "item", "timestamp", "event_type", "event_value"], columns, strict=True))


def test_the_surest_name_wins() -> None:
    assert event_roles(["song_key", "spotify_id", "song_id", "pid", "user"]) == {"user": "user", "item": "song_id"}


def test_a_song_without_an_id_column_goes_by_artist_and_title() -> None:
    assert event_roles(["user", "Artist(s)", "song"]) == {"user": "user", "artist": "Artist(s)", "title": "song"}


def test_a_named_column_is_taken_rather_than_the_detected_one() -> None:
    columns = ["user_id", "who", "item_id", "what", "timestamp", "when"]
    roles = event_roles(columns, user_column="who", item_column="what", timestamp_column="WHEN")
    assert roles == {"user": "who", "item": "what", "timestamp": "when"}
    assert song_roles(["id", "name", "class"], genre_column="class")["genre"] == "class"


def test_a_named_column_that_is_missing_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UserDataError) as error:
        event_roles(["usr_id", "item_id"], user_column="user_ids")
    assert str(error.value) == 'songs.csv: has no column "user_ids" (data_user_column); did you mean "usr_id"? It has: usr_id, item_id'
    with pytest.raises(UserDataError, match="data_genre_column"):
        song_roles(["item_id", "genre"], genre_column="style")


def test_a_named_column_is_optional_in_the_channels_that_only_accompany_the_events() -> None:
    config = DataConfig(item_column="what", timestamp_column="when", user_column="who")
    assert event_columns(HERE, ["user", "item"], config, strict=False)[1] == {"user": "user", "item": "item"}
    assert song_columns(HERE, ["track_id"], config, FeaturesConfig(), strict=False)[1] == {"item": "track_id"}


@pytest.mark.parametrize(("columns", "setting"), [(["u1", "i1", "100"], "data_user_column"), (["user", "x"], "data_item_column")])
def test_a_file_without_header_or_ids_is_refused_with_what_it_has_and_what_is_accepted(columns: list[str], setting: str) -> None:
    with pytest.raises(UserDataError) as error:
        event_roles(columns)
    assert ", ".join(columns) in str(error.value)
    assert setting in str(error.value)
    assert "_id" in str(error.value)

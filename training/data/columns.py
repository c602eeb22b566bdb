"""Which column means what: the known names, declared once, and how a file's columns are matched to them.

Names are compared without regard to case, spaces and punctuation: `USER_ID`, `user id` and `User-Id` are one name.
"""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from training.data.errors import UserDataError

# Roles in order; for each the names it goes by, the surest first.
EVENT_ROLES: dict[str, tuple[str, ...]] = {
    "user": (
        *("user_id", "userid", "user", "username", "listener_id", "listener", "customer_id", "account_id"),
        *("playlist_id", "playlistid", "playlist", "pid", "session_id", "sessionid"),
    ),
    "item": (
        *("item_id", "itemid", "item", "track_id", "trackid", "song_id", "songid", "track_uri", "spotify_track_uri"),
        *("spotify_id", "spotify_track_id", "isrc", "song_key"),
    ),
    "timestamp": (
        *("timestamp", "unix_timestamp", "event_time", "event_timestamp", "datetime", "date_time", "time", "ts", "date"),
        *("played_at", "listened_at", "created_at", "added_at"),
    ),
    "position": ("position", "pos", "index_in_playlist", "track_position", "track_index", "playlist_position", "order_in_playlist"),
    "event_type": ("event_type", "eventtype", "event", "event_name", "action"),
    "event_value": ("event_value", "eventvalue", "value", "rating", "play_count", "playcount", "plays", "listens", "count"),
}
# Of the channel of listeners: what they are called, in words, and which of a few kinds they are.
USER_TEXTS = ("name", "title", "playlist_name", "playlist_title", "description", "tags")
USER_CATEGORIES = ("country", "country_code", "region", "language", "gender", "age_group", "age_range", "segment", "subscription", "plan")
SONG_ROLES: dict[str, tuple[str, ...]] = {
    "item": (*EVENT_ROLES["item"], "id", "uri"),
    "title": ("track_name", "song_name", "song_title", "title", "song", "name", "track"),
    "artist": ("artists", "artist_s", "artist", "artist_name", "artist_names", "artistname", "track_artist", "artists_name", "creator"),
    "genre": ("genres", "genre", "track_genre", "playlist_genre", "genre_s", "artist_genres", "artist_genre"),
    "year": ("release_year", "year", "release_date", "album_release_year", "album_release_date", "track_album_release_date", "released"),
    "popularity": ("popularity", "track_popularity", "song_popularity"),
    "danceability": ("danceability",),
    "energy": ("energy",),
    "loudness": ("loudness", "loudness_db"),
    "speechiness": ("speechiness",),
    "acousticness": ("acousticness",),
    "instrumentalness": ("instrumentalness",),
    "liveness": ("liveness",),
    "valence": ("valence", "positiveness"),
    "tempo": ("tempo", "bpm"),
    "duration": ("duration_ms", "length", "duration", "track_duration", "duration_s", "duration_seconds", "song_length"),
}


def plain(name: str) -> str:
    """A column name as it is compared: "Artist(s)" is "artist_s", "Loudness (db)" is "loudness_db"."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def find_column(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The first of `columns` that goes by one of `names`, the surest name first; as written in the file."""
    by_plain_name: dict[str, str] = {}
    for column in columns:
        by_plain_name.setdefault(plain(column), column)
    return next((by_plain_name[name] for name in names if name in by_plain_name), None)


def named_column(columns: Sequence[str], name: str) -> str | None:
    """The column that the user named: exactly, or else without regard to case and punctuation."""
    return name if name in columns else find_column(columns, [plain(name)])


def missing_column(path: Path, columns: Sequence[str], what: str, named: str, names: Sequence[str], setting: str) -> UserDataError:
    """The error for a column that is not there: file, the columns it has, what is accepted, the nearest match."""
    has = ", ".join(column[:40] for column in columns[:40])
    if named:
        nearest = difflib.get_close_matches(plain(named), [plain(column) for column in columns], n=1, cutoff=0.5)
        match = next((column for column in columns if nearest and plain(column) == nearest[0]), "")
        hint = f'; did you mean "{match}"?' if match else "."
        return UserDataError(f'{path}: has no column "{named}" ({setting}){hint} It has: {has}')
    accepted = ", ".join(names)
    return UserDataError(
        f"{path}: no column of the header holds {what}; it has: {has}. "
        f"Name the right one with {setting}=COLUMN, or call it one of: {accepted}"
    )

"""What a song and an event may have, and the file formats that say it in their own columns: each declared here, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from inference.features.attributes import AUDIO, FLAGS
from training.data.columns import EVENT_ROLES, SONG_ROLES, plain

SIMILAR = 3  # similar songs that a row may name

NUMBERS = ("popularity", "year", *AUDIO)


@dataclass(frozen=True)
class Schema:
    """One file format. A file is of this format if it has all columns of ``signature`` (as ``plain`` writes them).

    ``columns``: role -> its column; empty: found by the names that are known for the role (``names``). ``percent``: whether features of
    0-1 are written as 0-100; None: told by the values. ``upper_case``: all columns are written in capitals.
    """

    name: str
    signature: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    percent: bool | None = None
    artist_separators: str = ";|"
    genre_separators: str = "|;,"
    upper_case: bool = False

    def fits(self, columns: Sequence[str]) -> bool:
        """Whether a file with these columns is of this format."""
        if self.upper_case and any(column != column.upper() for column in columns):
            return False
        return set(self.signature) <= set(map(plain, columns))

    def missing(self, columns: Sequence[str]) -> list[str]:
        """The columns of the signature that a file lacks."""
        has = set(map(plain, columns))
        return [name for name in self.signature if name not in has]


_SAME = ("energy", "danceability", "speechiness", "liveness", "acousticness", "instrumentalness", "tempo", "popularity", "explicit", "key")
_SIMILAR = {
    role.format(place): column.format(place)
    for place in range(1, SIMILAR + 1)
    for role, column in (
        ("similar_artist_{}", "similar_artist_{}"),
        ("similar_title_{}", "similar_song_{}"),
        ("similar_score_{}", "similarity_score_{}"),
    )
}

SPOTIFY_SONGS = Schema(
    "spotify_songs",
    signature=("artist_s", "song", "positiveness"),
    columns={
        **{"artist": "artist_s", "title": "song", "lyrics": "text", "duration": "length", "emotion": "emotion", "genre": "genre"},
        **{"album": "album", "year": "release_date", "loudness": "loudness_db", "time_signature": "time_signature"},
        **{"valence": "positiveness", **{name: name for name in _SAME}},
        **{flag: flag for flag in FLAGS},
        **_SIMILAR,
    },
    percent=True,
    artist_separators=",;|",
)
SPOTIFY_TRACKS = Schema(
    "spotify_tracks",
    signature=("track_id", "artists", "track_name", "track_genre", "duration_ms"),
    columns={
        **{"item": "track_id", "artist": "artists", "title": "track_name", "genre": "track_genre", "duration": "duration_ms"},
        **{"album": "album_name", "loudness": "loudness", "mode": "mode", "valence": "valence", "time_signature": "time_signature"},
        **{name: name for name in _SAME},
    },
    percent=False,
    artist_separators=";",
)
_SONG_NAMES = {
    **SONG_ROLES,
    "album": ("album", "album_name"),
    "emotion": ("emotion",),
    "language": ("language", "lang"),
    "time_signature": ("time_signature",),
    "key": ("key",),
    "mode": ("mode",),
    "lyrics": ("lyrics", "song_lyrics"),
    **{flag: (flag,) for flag in FLAGS},
    **{role: (column,) for role, column in _SIMILAR.items()},
}
PERSONALIZE_ITEMS = Schema(
    "personalize", signature=("item_id",), names=_SONG_NAMES, artist_separators="|", genre_separators="|", upper_case=True
)
GENERIC_ITEMS = Schema("generic", names=_SONG_NAMES)
ITEM_SCHEMAS = (SPOTIFY_SONGS, SPOTIFY_TRACKS, PERSONALIZE_ITEMS, GENERIC_ITEMS)

PERSONALIZE_INTERACTIONS = Schema("personalize", signature=("user_id", "item_id", "timestamp"), names=EVENT_ROLES, upper_case=True)
GENERIC_INTERACTIONS = Schema("generic", names=EVENT_ROLES)
EVENT_SCHEMAS = (PERSONALIZE_INTERACTIONS, GENERIC_INTERACTIONS)
PERSONALIZE_USERS = Schema("personalize", signature=("user_id",), names={"user": EVENT_ROLES["user"]}, upper_case=True)
GENERIC_USERS = Schema("generic", names={"user": EVENT_ROLES["user"]})
USER_SCHEMAS = (PERSONALIZE_USERS, GENERIC_USERS)


def is_personalize(columns: Sequence[str]) -> bool:
    """Whether a file with these columns is one of Amazon Personalize's datasets."""
    return any(schema.fits(columns) for schema in (PERSONALIZE_INTERACTIONS, PERSONALIZE_ITEMS, PERSONALIZE_USERS))


def detect(schemas: Sequence[Schema], columns: Sequence[str]) -> Schema:
    """The first of the schemas that a file with these columns fits; the last one fits every file."""
    return next(schema for schema in schemas if schema.fits(columns))

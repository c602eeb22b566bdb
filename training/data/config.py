"""The `data` section of the configuration: how the channels are read. Flat names are `data_<field>`."""

from dataclasses import dataclass, field
from typing import Any

from training.data.policies import POLICIES, REFUSE, WHAT_IS_WRONG

# The same as inference.history.WEIGHTINGS, which a test holds; not imported, since settings are checked before numpy is.
WEIGHTINGS = ("log", "binary", "count", "value", "log_value")


ITEM_SCHEMAS = ("auto", "spotify_songs", "spotify_tracks", "personalize", "generic")
EVENT_SCHEMAS = ("auto", "personalize", "generic")


@dataclass(frozen=True)
class DataConfig:
    """How the columns of the channels are called and how events become weights. An empty column name means: detect it."""

    user_column: str = field(default="", metadata={"help": "column with the listener's id; empty: detected (USER_ID, playlist_id, ...)"})
    item_column: str = field(default="", metadata={"help": "column with the song's id; empty: detected (ITEM_ID, track_id, ...)"})
    timestamp_column: str = field(default="", metadata={"help": "column with the time of an event (seconds, ms, ISO); empty: detected"})
    position_column: str = field(
        default="",
        metadata={"help": "column with the place of a song in its list, which tells the order where no times do; empty: detected"},
    )
    event_type_column: str = field(default="", metadata={"help": "column with an event's type (play, like, ...); empty: detected"})
    event_value_column: str = field(default="", metadata={"help": "column with an event's value (a rating, a count); empty: detected"})
    user_text: tuple[str, ...] = field(
        default=(), metadata={"help": "columns of the channel users that hold words (the name of a playlist); empty: detected"}
    )
    user_categorical: tuple[str, ...] = field(
        default=(), metadata={"help": "columns of the channel users that hold one of a few values (a country); empty: detected"}
    )
    title_column: str = field(default="", metadata={"help": "catalogue column with the song's title; empty: detected"})
    artist_column: str = field(default="", metadata={"help": "catalogue column with the song's artists; empty: detected"})
    genre_column: str = field(default="", metadata={"help": "catalogue column with the song's genres; empty: detected"})
    year_column: str = field(default="", metadata={"help": "catalogue column with the release year or date; empty: detected"})
    artist_separators: str = field(
        default="",
        metadata={"help": 'characters between the artists of one song; empty: ",;|" in a column called "Artist(s)", ";|" in any other'},
    )
    genre_separators: str = field(
        default="",
        metadata={"help": 'characters between the genres of one song; empty: "|" in a file of Amazon Personalize, "|;," in any other'},
    )
    event_weights: dict[str, float] = field(
        default_factory=dict,
        metadata={
            "help": 'weight of each event type, as JSON: {"play": 1, "like": 3, "skip": -1}; a type that is not named weighs 1, '
            "0 drops the event, a negative one counts against the song"
        },
    )
    min_event_value: float | None = field(
        default=None, metadata={"help": "drop events whose value is missing or below this (ratings under 4, say); empty: keep all"}
    )
    weighting: str = field(
        default="log",
        metadata={
            "help": "weight of a listener and a song: log = log2(1 + sum of event weights), count = that sum, binary = 1, "
            "value = sum of event weight times event value, log_value = log2(1 + value)",
            "choices": WEIGHTINGS,
        },
    )
    half_life_days: float = field(
        default=0.0,
        metadata={
            "help": "the weight of a song halves with every so many days from its last event to the newest of the listener, in training "
            "and in requests alike; 0 = it does not; needs times",
            "min": 0,
            "max": 1e6,
        },
    )
    items_schema: str = field(
        default="auto",
        metadata={"help": "what the files of the channel items are; auto: told by their columns", "choices": ITEM_SCHEMAS},
    )
    interactions_schema: str = field(
        default="auto",
        metadata={"help": "what the files of listening events are; auto: told by their columns", "choices": EVENT_SCHEMAS},
    )
    engine: str = field(
        default="auto",
        metadata={
            "help": "who reads the data: pandas = this process, dask = worker processes on all CPUs and hosts, auto = dask from "
            "data_dask_from_mb on, or where there are several hosts; the result is the same",
            "choices": ("auto", "pandas", "dask"),
        },
    )
    dask_from_mb: int = field(default=4000, metadata={"help": "size of all channels from which on auto takes dask", "min": 0})
    partition_mb: int = field(default=64, metadata={"help": "size of the pieces that files are read in", "min": 1, "max": 1024})
    min_item_events: int = field(default=1, metadata={"help": "drop the events of songs that fewer listeners than this played", "min": 1})
    min_user_events: int = field(default=1, metadata={"help": "drop the events of listeners with fewer songs than this", "min": 1})


def _policy(kind: str) -> Any:
    meanings = "; ".join(f"{action} = {meaning}" for action, meaning in POLICIES[kind].items())
    choices = (*POLICIES[kind], REFUSE)
    return field(default=choices[0], metadata={"help": f"{WHAT_IS_WRONG[kind]}: {meanings}; refuse = the job ends", "choices": choices})


@dataclass(frozen=True)
class QualityConfig:
    """What to do about each kind of problem in the data. Every one is counted and reported, whatever is done about it."""

    misshapen_row: str = _policy("misshapen_row")
    missing_id: str = _policy("missing_id")
    placeholder_id: str = _policy("placeholder_id")
    unreadable_value: str = _policy("unreadable_value")
    out_of_range: str = _policy("out_of_range")
    missing_value: str = _policy("missing_value")
    duplicate_row: str = _policy("duplicate_row")
    duplicate_song: str = _policy("duplicate_song")
    orphan_event: str = _policy("orphan_event")
    broken_time: str = _policy("broken_time")
    future_time: str = _policy("future_time")


@dataclass(frozen=True)
class SampleConfig:
    """Trims the data to an exact size before anything is learned; the same rows for any number of files, pieces and hosts."""

    events: int = field(default=0, metadata={"help": "keep exactly so many events; 0 keeps all", "min": 0})
    listeners: int = field(default=0, metadata={"help": "keep exactly so many listeners, with all their events; 0 keeps all", "min": 0})
    songs: int = field(default=0, metadata={"help": "keep exactly so many songs, with all their events; 0 keeps all", "min": 0})


@dataclass(frozen=True)
class FeaturesConfig:
    """What is made of the catalogue's columns."""

    lyrics: bool = field(default=True, metadata={"help": "read the lyrics: their language, and vectors of what they are about"})
    lyrics_dimensions: int = field(default=64, metadata={"help": "length of a song's vector of lyrics", "min": 2, "max": 512})
    lyrics_terms: int = field(
        default=20000, metadata={"help": "terms that the vectors are made of, the most telling ones", "min": 10, "max": 200000}
    )
    genre_clusters: int = field(default=24, metadata={"help": "clusters that genres are grouped into", "min": 2, "max": 500})
    numeric: tuple[str, ...] = field(default=(), metadata={"help": "further catalogue columns to use as numbers"})
    categorical: tuple[str, ...] = field(default=(), metadata={"help": "further catalogue columns to use as categories"})
    text: tuple[str, ...] = field(default=(), metadata={"help": "further catalogue columns to use as text, as the lyrics are"})
    embedding: tuple[str, ...] = field(
        default=(), metadata={"help": "further catalogue columns to use as vectors: lists, or numbers with spaces or | between"}
    )

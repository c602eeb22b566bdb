"""The `data` section of the configuration: how the channels are read. Flat names are `data_<field>`."""

from dataclasses import dataclass, field

# The same as inference.history.WEIGHTINGS, which a test holds; not imported, since settings are checked before numpy is.
WEIGHTINGS = ("log", "binary", "count", "value", "log_value")


@dataclass(frozen=True)
class DataConfig:
    """How the columns of the channels are called and how events become weights. An empty column name means: detect it."""

    user_column: str = field(default="", metadata={"help": "column with the listener's id; empty: detected (USER_ID, playlist_id, ...)"})
    item_column: str = field(default="", metadata={"help": "column with the song's id; empty: detected (ITEM_ID, track_id, ...)"})
    timestamp_column: str = field(default="", metadata={"help": "column with the time of an event (seconds, ms, ISO); empty: detected"})
    event_type_column: str = field(default="", metadata={"help": "column with an event's type (play, like, ...); empty: detected"})
    event_value_column: str = field(default="", metadata={"help": "column with an event's value (a rating, a count); empty: detected"})
    title_column: str = field(default="", metadata={"help": "catalogue column with the song's title; empty: detected"})
    artist_column: str = field(default="", metadata={"help": "catalogue column with the song's artists; empty: detected"})
    genre_column: str = field(default="", metadata={"help": "catalogue column with the song's genres; empty: detected"})
    year_column: str = field(default="", metadata={"help": "catalogue column with the release year or date; empty: detected"})
    artist_separators: str = field(
        default="",
        metadata={"help": 'characters between the artists of one song; empty: ",;|" in a column called "Artist(s)", ";|" in any other'},
    )
    genre_separators: str = field(default="|;,", metadata={"help": "characters between the genres of one song"})
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
    min_item_events: int = field(default=1, metadata={"help": "drop the events of songs that fewer listeners than this played", "min": 1})
    min_user_events: int = field(default=1, metadata={"help": "drop the events of listeners with fewer songs than this", "min": 1})

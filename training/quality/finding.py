"""One thing that deserves attention, and from when on each does. All limits stand here, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# From this value on (for few_* and thin_songs: below it) a finding is told. Shares are of 1.
LIMITS: dict[str, float] = {
    # what became of the rows
    "rows_left_out": 0.01,  # of a channel's rows, for what is wrong with them
    "values_lost": 0.01,  # of a column's values, that can't be read or can't be
    "tempo_zeros": 0.001,  # of the songs' rows
    "duplicate_rows": 0.05,  # of the songs' rows
    "duplicate_songs": 0.01,  # of the songs' rows
    "placeholder_ids": 1,  # rows
    "future_times": 1,  # events
    "broken_times": 0.01,  # of the events
    "files_ignored": 1,  # files
    # the songs
    "few_songs": 50,
    "no_column": 1,  # of the columns that the similarity of songs rests on
    "mostly_missing": 0.5,  # of the songs
    "constant_column": 20,  # songs that all say the same
    "popularity_zero": 0.25,  # of the songs that have one
    "one_artist": 0.1,  # of the songs
    "one_genre": 0.5,  # of the songs
    "similar_unknown": 0.5,  # of the songs that are called similar
    # the listening
    "few_listeners": 100,
    "heavy_listener": 0.05,  # of the entries, and also HEAVY times what a listener has on average
    "orphan_events": 0.05,  # of the entries
    "cold_songs": 0.5,  # of the catalogue
    "popularity_concentrated": 0.3,  # of the entries, in the hundredth part of the songs that is played most
    "songs_played_once": 0.5,  # of the played songs
    "thin_songs": 5,  # listeners that a song has on average
    "short_histories": 0.5,  # of the listeners, with fewer songs than split_min_listener_items
    "times_missing": 0.05,  # of the entries, where others have a time
    "early_times": 1,  # the first time is before FIRST_YEAR
    "gap_in_time": 0.1,  # of the time between the first and the last event, and also SHORTEST_GAP periods
    "test_known": 0.05,  # of the entries of the channel test
}
HEAVY = 10
FIRST_YEAR = 1990
SHORTEST_GAP = 3
ORDER = {"high": 0, "medium": 1, "low": 2}
Finding = dict[str, Any]


def finding(name: str, severity: str, value: float, text: str, advice: str, settings: Sequence[str] = ()) -> Finding:
    """``value`` is what was held against the limit of this ``name``. ``text``: what is so, and what it means for recommendations.

    ``advice``: what to do about it; ``settings``: the hyperparameters that it names.
    """
    limit = LIMITS[name]
    return {
        "finding": name,
        "severity": severity,
        "value": value,
        "limit": limit,
        "text": text,
        "advice": advice,
        "settings": list(settings),
    }

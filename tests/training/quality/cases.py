"""For each finding, how good data has to be changed until it is told, and the change that is just not enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.training.quality.small_data import Good

Change = Callable[[Good, int], None]
DAY = timedelta(1)


@dataclass(frozen=True)
class Case:
    """``change(data, at)`` of good data of the size ``base`` crosses the limit with ``value``, ``change(data, before)`` does not yet.

    ``also``: what can't but be told too, of both.
    """

    change: Change
    at: int
    before: int
    severity: str
    value: float
    base: dict[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    def data(self, n: int) -> Good:
        data = Good(**self.base)
        self.change(data, n)
        return data


CASES: dict[str, Case] = {}


def case(at: int, before: int, severity: str, value: float, also: tuple[str, ...] = (), **base: Any) -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        CASES[change.__name__] = Case(change, at, before, severity, value, base, also)
        return change

    return add


def clock(data: Good, n: int, time: str) -> None:
    for event in data.events[:n]:
        event["time"] = time


# --- what became of the rows -------------------------------------------------------------------------------------------------------


@case(at=10, before=9, severity="medium", value=10 / 970)
def rows_left_out(data: Good, n: int) -> None:
    data.events += [{"user": "", "item": data.songs[0]["id"], "time": "2020-01-01"}] * n


@case(at=2, before=1, severity="medium", value=2 / 120)
def values_lost(data: Good, n: int) -> None:
    for song in data.songs[:n]:
        song["energy"] = "loud"


@case(at=1, before=0, severity="low", value=1 / 120)
def tempo_zeros(data: Good, n: int) -> None:
    for song in data.songs[:n]:
        song["tempo"] = "0"


@case(at=7, before=6, severity="low", value=7 / 127)
def duplicate_rows(data: Good, n: int) -> None:
    data.songs += data.songs[:n]


@case(at=2, before=1, severity="medium", value=2 / 122)
def duplicate_songs(data: Good, n: int) -> None:
    data.songs += [song | {"id": f"another {song['id']}"} for song in data.songs[:n]]


@case(at=1, before=0, severity="medium", value=1)
def placeholder_ids(data: Good, n: int) -> None:
    data.events += [{"user": "NULL", "item": song["id"], "time": "2020-01-01"} for song in data.songs[:n]]


@case(at=1, before=0, severity="medium", value=1)
def future_times(data: Good, n: int) -> None:
    clock(data, n, "2999-01-01")


@case(at=10, before=9, severity="medium", value=10 / 960)
def broken_times(data: Good, n: int) -> None:
    clock(data, n, "soon")


@case(at=1, before=0, severity="low", value=1)
def files_ignored(data: Good, n: int) -> None:
    data.others |= {f"items/part-{i}.csv": "" for i in range(n)}


# --- the songs ---------------------------------------------------------------------------------------------------------------------


@case(at=49, before=50, severity="medium", value=49)
def few_songs(data: Good, n: int) -> None:
    data.build(songs=n)


@case(at=1, before=0, severity="medium", value=1)
def no_column(data: Good, n: int) -> None:
    for song in data.songs:
        for column in [name for names in (["genre"], ["artist"], ["energy", "tempo"])[:n] for name in names]:
            song.pop(column, None)


@case(at=60, before=59, severity="low", value=0.5)
def mostly_missing(data: Good, n: int) -> None:
    for song in data.songs[:n]:
        song["year"] = ""


@case(at=20, before=19, severity="low", value=20, also=("mostly_missing",))
def constant_column(data: Good, n: int) -> None:
    for song in data.songs[:n]:
        song["emotion"] = "joy"


@case(at=31, before=30, severity="low", value=0.25)
def popularity_zero(data: Good, n: int) -> None:
    for song in data.songs[:n]:
        song["popularity"] = "0"


@case(at=12, before=11, severity="low", value=0.1)
def one_artist(data: Good, n: int) -> None:
    for song in data.songs[:n]:
        song["artist"] = "Various"


@case(at=60, before=59, severity="low", value=0.5)
def one_genre(data: Good, n: int) -> None:
    for song in data.songs[:n]:
        song["genre"] = "pop"


@case(at=2, before=1, severity="low", value=0.5)
def similar_unknown(data: Good, n: int) -> None:
    known = [(song["artist"], song["title"]) for song in data.songs[:2]]
    for song, (artist, title) in zip(data.songs[5:], [*known, *[("Nobody", f"Nothing {i}") for i in range(n)]], strict=False):
        song |= {"similar_artist_1": artist, "similar_song_1": title}


# --- the listening -----------------------------------------------------------------------------------------------------------------


@case(at=99, before=100, severity="medium", value=99)
def few_listeners(data: Good, n: int) -> None:
    data.events = [event for event in data.events if int(event["user"][1:]) < n]


@case(at=93, before=92, severity="high", value=93 / 1853, listeners=220)
def heavy_listener(data: Good, n: int) -> None:
    data.events += [{"user": "a shop", "item": song["id"], "time": "2020-01-01"} for song in data.songs[:n]]


@case(at=51, before=50, severity="medium", value=51 / 1011)
def orphan_events(data: Good, n: int) -> None:
    data.events += [{"user": f"u{i % 120}", "item": f"gone {i // 120}", "time": "2020-01-01"} for i in range(n)]


@case(at=120, before=119, severity="low", value=0.5)
def cold_songs(data: Good, n: int) -> None:
    data.songs += [data.song(1000 + i) for i in range(n)]


@case(at=174, before=173, severity="low", value=0.3, songs=200, listeners=240, per=5)
def popularity_concentrated(data: Good, n: int) -> None:
    """The first two of 200 songs become the favourites of n more listeners, who have five songs as before."""
    listeners = [start for start in range(0, len(data.events), 5) if start % 200][:n]
    for start in listeners:
        for place in (0, 1):
            data.events[start + place]["item"] = data.songs[place]["id"]


@case(at=120, before=119, severity="low", value=0.5, per=12)
def songs_played_once(data: Good, n: int) -> None:
    new = [data.song(1000 + i) for i in range(n)]
    data.songs += new
    data.events += [{"user": f"u{i}", "item": song["id"], "time": "2020-01-01"} for i, song in enumerate(new)]


@case(at=1, before=0, severity="medium", value=599 / 120, listeners=100, per=6)
def thin_songs(data: Good, n: int) -> None:
    data.events = data.events[: len(data.events) - n]


@case(at=61, before=60, severity="medium", value=0.5)
def short_histories(data: Good, n: int) -> None:
    data.events = [event for place, event in enumerate(data.events) if place // 8 >= n or place % 8 < 4]


@case(at=48, before=47, severity="low", value=0.05)
def times_missing(data: Good, n: int) -> None:
    clock(data, n, "")


@case(at=1, before=0, severity="medium", value=1)
def early_times(data: Good, n: int) -> None:
    data.build(start=date(1990, 1, 1) - n * DAY)


@case(at=7, before=6, severity="medium", value=7 / 67)
def gap_in_time(data: Good, n: int) -> None:
    for event in data.events:
        day = date.fromisoformat(event["time"])
        event["time"] = str(day + n * DAY if day >= date(2020, 1, 31) else day)


@case(at=2, before=1, severity="high", value=0.05)
def test_known(data: Good, n: int) -> None:
    """A test entry of each of 40 listeners: the next song after theirs, but of n of them one that they have."""
    data.test = [{"user": f"u{u}", "item": data.songs[(8 * u + (0 if u < n else 8)) % 120]["id"]} for u in range(40)]

"""What deserves attention in the listening: what collaborative recommendations and their evaluation rest on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from training.config import TrainingConfig
from training.quality.distribution import share
from training.quality.finding import FIRST_YEAR, HEAVY, LIMITS, SHORTEST_GAP, Finding, finding
from training.quality.wording import count, counted, decimal, percent

ENOUGH_SONGS = 100  # played songs, from which on a hundredth part of them is a song
FEWEST = 20  # listeners, below which hardly anything can be learned


def event_findings(document: dict[str, Any], config: TrainingConfig) -> Iterator[Finding]:
    """The findings about interactions and about the channel test; see ``attention.findings``."""
    described = document["interactions"]
    if described is not None:
        yield from _size(described)
        yield from _histories(described, config)
        yield from _catalogue(described)
        yield from _popularity(described)
        if described["times"] is not None:
            yield from _times(described["times"])
    test, known = document["test"], document["counts"].get("test.entries_also_in_interactions", 0)
    if test is not None and known and known / test["entries"] >= LIMITS["test_known"]:
        text = (
            f"{percent(known / test['entries'])} of the entries of the channel test are also in the interactions "
            f"({count(known)} of {count(test['entries'])}). What a listener has played is not recommended again, so no model finds them "
            "and all measures are too low."
        )
        yield finding("test_known", "high", known / test["entries"], text, "Leave out of interactions what is in test.")


def _size(described: dict[str, Any]) -> Iterator[Finding]:
    listeners, per_song = described["listeners"], described["listeners_per_song"]["mean"]
    if listeners < LIMITS["few_listeners"]:
        text = (
            f"There {'is' if listeners == 1 else 'are'} only {counted(listeners, 'listener')} with events. What people have in common can "
            "hardly be learned from so few, and the intervals of the evaluation are wide."
        )
        advice = "With few listeners trust the content model more; split_test_fraction says how many are held out for the report."
        yield finding("few_listeners", "high" if listeners < FEWEST else "medium", listeners, text, advice, ["split_test_fraction"])
    if per_song < LIMITS["thin_songs"]:
        text = (
            f"A song has {decimal(per_song)} listeners on average, and {percent(described['sparsity'])} of all pairs of a listener and a "
            "song are unknown. Neighbours that rest on one or two listeners are chance."
        )
        advice = "data_min_item_events leaves out the rarest songs; item_knn_shrinkage and ease_l2 trust such neighbours less when raised."
        settings = ["data_min_item_events", "item_knn_shrinkage", "ease_l2"]
        yield finding("thin_songs", "medium", per_song, text, advice, settings)


def _histories(described: dict[str, Any], config: TrainingConfig) -> Iterator[Finding]:
    spread, listeners, entries = described["songs_per_listener"], described["listeners"], described["entries"]
    heaviest = share(spread["max"], entries)
    if heaviest >= LIMITS["heavy_listener"] and heaviest >= HEAVY / listeners:
        text = (
            f"One listener has {percent(heaviest)} of all entries ({count(int(spread['max']))} songs; half of the listeners have at most "
            f"{decimal(spread['median'])}). A shop, a radio or a test account would decide which songs are alike."
        )
        advice = "Look who it is and leave the account out of the file; ease_user_exponent lets long histories count less when raised."
        yield finding("heavy_listener", "high", heaviest, text, advice, ["ease_user_exponent"])
    fewest = config.split.min_listener_items
    if spread["median"] < fewest:
        text = (
            f"At least half of the listeners have fewer than {fewest} songs. They can't be held out, so the evaluation speaks of the "
            "others only, and what is recommended to them rests on little."
        )
        advice = "split_min_listener_items says from when on a listener can be held out, data_min_user_events who is learned from."
        settings = ["split_min_listener_items", "data_min_user_events"]
        yield finding("short_histories", "medium", LIMITS["short_histories"], text, advice, settings)


def _catalogue(described: dict[str, Any]) -> Iterator[Finding]:
    sides = described["catalogue"]
    if sides is None:
        return
    if sides["orphan_entries_share"] >= LIMITS["orphan_events"]:
        text = (
            f"{percent(sides['orphan_entries_share'])} of the entries are of {counted(sides['orphan_songs'], 'song')} that the catalogue "
            "does not have. They can be recommended by who plays them, but without a title, and not by what they are."
        )
        advice = "Complete the catalogue, or leave such events out with quality_orphan_event = drop."
        severity = "high" if sides["orphan_entries_share"] >= 0.5 else "medium"
        yield finding("orphan_events", severity, sides["orphan_entries_share"], text, advice, ["quality_orphan_event"])
    if sides["cold_songs_share"] >= LIMITS["cold_songs"]:
        text = (
            f"{percent(sides['cold_songs_share'])} of the catalogue has no listener ({counted(sides['cold_songs'], 'song')}). Only the "
            "content model can recommend these songs."
        )
        yield finding("cold_songs", "low", sides["cold_songs_share"], text, "Keep content among the models.", ["models"])


def _popularity(described: dict[str, Any]) -> Iterator[Finding]:
    popularity, songs = described["popularity"], described["songs"]
    top = next(one["entries"] for one in popularity["top"] if one["songs"] == 0.01)
    if songs >= ENOUGH_SONGS and top >= LIMITS["popularity_concentrated"]:
        text = (
            f"The most played hundredth of the songs has {percent(top)} of all entries (Gini {decimal(popularity['gini'])}). Models that "
            "follow the crowd look good on such data, and rare songs are seldom recommended."
        )
        advice = "ease_item_exponent and als_frequency_exponent hold popular songs back when raised; see coverage in the evaluation."
        yield finding("popularity_concentrated", "low", top, text, advice, ["ease_item_exponent", "als_frequency_exponent"])
    once = share(described["listeners_per_song"]["once"], songs)
    if songs >= ENOUGH_SONGS and once >= LIMITS["songs_played_once"]:
        text = (
            f"{percent(once)} of the played songs have a single listener. Who else would like them can't be told from listening; "
            "they cost memory and time."
        )
        advice = "data_min_item_events = 2 leaves their events out; songs of the catalogue stay known by what they are."
        yield finding("songs_played_once", "low", once, text, advice, ["data_min_item_events"])


def _times(times: dict[str, Any]) -> Iterator[Finding]:
    if times["missing_share"] >= LIMITS["times_missing"]:
        text = f"{percent(times['missing_share'])} of the entries have no time, while others have. Which came last is not known for them."
        advice = "Check the column with data_timestamp_column; quality_broken_time says what becomes of times that can't be read."
        settings = ["data_timestamp_column", "quality_broken_time"]
        yield finding("times_missing", "low", times["missing_share"], text, advice, settings)
    if int(times["first"].partition("-")[0] or 0) < FIRST_YEAR:
        text = f"The first event is of {times['first'][:10]}, before there was music on the internet: times of 0, or in another unit."
        advice = "Check the column with data_timestamp_column; seconds, milliseconds and ISO 8601 are understood."
        yield finding("early_times", "medium", 1, text, advice, ["data_timestamp_column"])
    start, length = _longest_gap(times["counts"])
    part = length / len(times["counts"])
    if length >= SHORTEST_GAP and part >= LIMITS["gap_in_time"]:
        first, last = times["periods"][start], times["periods"][start + length - 1]
        text = (
            f"There is no event from {first} to {last} ({counted(length, times['unit'])}), though there are before and after. "
            "A part of the log may be missing."
        )
        yield finding("gap_in_time", "medium", part, text, "Check that all files of the log are in the channel interactions.")


def _longest_gap(counts: list[int]) -> tuple[int, int]:
    """The first place and the length of the longest run of zeros."""
    best, start = (0, 0), 0
    for place, n in enumerate([*counts, 1]):
        if n:
            if place - start > best[1]:
                best = (start, place - start)
            start = place + 1
    return best

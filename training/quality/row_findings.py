"""What deserves attention in the rows as they were read: what was lost, what was said twice, what is not what it seems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from training.data.policies import POLICIES, REFUSE
from training.quality.finding import LIMITS, Finding, finding
from training.quality.wording import count, counted, percent

MUCH = 0.1  # of the rows or values: no longer a blemish


def row_findings(document: dict[str, Any]) -> Iterator[Finding]:
    """The findings about files, rows and single values; see ``attention.findings``."""
    yield from _left_out(document)
    found = [one for one in document["problems"] if one["count"]]
    yield from _values(found, _tempo_columns(document))
    yield from _twice(document, found)
    yield from _ids_and_times(found)
    ignored = sum(n for name, n in document["counts"].items() if name.endswith(".files_ignored"))
    if ignored >= LIMITS["files_ignored"]:
        text = f"{counted(ignored, 'file')} in the channels {_were(ignored)} not read: hidden, empty, or of a kind that holds no rows."
        yield finding("files_ignored", "low", ignored, text, "Look whether one of them should have been data.")


def _left_out(document: dict[str, Any]) -> Iterator[Finding]:
    for channel, rows in document["totals"]["rows_read"].items():
        parts = [one for one in document["left_out"] if one["channel"] == channel and one["reason"] in POLICIES]
        lost = sum(one["count"] for one in parts)
        if not lost or lost / rows < LIMITS["rows_left_out"]:
            continue
        reasons = ", ".join(f"{one['reason'].replace('_', ' ')} {count(one['count'])}" for one in parts)
        text = (
            f"{percent(lost / rows)} of the rows of the channel {channel} were left out ({count(lost)} of {count(rows)}: {reasons}). "
            "The model knows nothing of what they said."
        )
        names = [name for one in parts for name in one["settings"]]
        choices = [f"{name} = {REFUSE}" for name in names]
        advice = f"See the examples below, correct the data, or stop such jobs with {' or '.join(choices)}."
        yield finding("rows_left_out", "high" if lost / rows >= MUCH else "medium", lost / rows, text, advice, names)


def _tempo_columns(document: dict[str, Any]) -> set[str]:
    return {file["used"]["tempo"] for file in document["files"] if file["channel"] == "items" and "tempo" in file["used"]} | {"tempo"}


def _values(found: list[dict[str, Any]], tempo: set[str]) -> Iterator[Finding]:
    for one in found:
        if one["kind"] not in ("unreadable_value", "out_of_range") or one["action"] == "drop":
            continue
        is_zero = any(_is_zero(example["value"]) for example in one["examples"])
        if one["kind"] == "out_of_range" and one["channel"] == "items" and one["column"] in tempo and is_zero:
            if one["share"] >= LIMITS["tempo_zeros"]:
                text = (
                    f"{count(one['count'])} rows of songs have an impossible tempo, such as 0 ({percent(one['share'])}). Catalogues write "
                    "0 where no tempo was found; it counts as missing, so that these songs are not all alike."
                )
                advice = f"Nothing needs to be done; {one['setting']} = drop leaves the songs out instead."
                yield finding("tempo_zeros", "low", one["share"], text, advice, [one["setting"]])
        elif one["share"] >= LIMITS["values_lost"]:
            what = "can't be read" if one["kind"] == "unreadable_value" else "can't be true"
            text = (
                f'{percent(one["share"])} of the values in the column "{one["column"]}" of the channel {one["channel"]} {what}'
                f"{_such_as(one)}. They count as missing: what they were meant to say is lost."
            )
            advice = f"Look at the examples: often it is another unit, or another column was meant. {one['setting']} decides what is done."
            yield finding("values_lost", "high" if one["share"] >= MUCH else "medium", one["share"], text, advice, [one["setting"]])


def _twice(document: dict[str, Any], found: list[dict[str, Any]]) -> Iterator[Finding]:
    rows = document["totals"]["rows_read"].get("items", 0)
    merged = document["duplicates"]["song_rows_merged"]
    if rows and merged / rows >= LIMITS["duplicate_rows"]:
        text = (
            f"{percent(merged / rows)} of the rows of songs have an id that another row has ({count(merged)} of {count(rows)}). "
            "Rows of one id are one song, with the genres of all of them; what else they say differently is taken from the fullest."
        )
        advice = "Nothing needs to be done if one row per genre is meant; quality_duplicate_row says what becomes of such rows."
        yield finding("duplicate_rows", "low", merged / rows, text, advice, ["quality_duplicate_row"])
    alike = [one for one in found if one["kind"] == "duplicate_song"]
    n = sum(one["count"] for one in alike)
    songs = document["totals"]["songs_in_catalogue"]
    if songs and n / songs >= LIMITS["duplicate_songs"] and alike[0]["action"] == "keep":
        text = (
            f"{counted(n, 'song')} ({percent(n / songs)}) have the title and artist of another song under an id of their own: singles, "
            "albums, re-releases. The same song can be recommended several times, and its listeners are spread over its ids."
        )
        advice = "quality_duplicate_song = repair makes them one song; the other ids lead to it."
        yield finding("duplicate_songs", "medium", n / songs, text, advice, ["quality_duplicate_song"])


def _ids_and_times(found: list[dict[str, Any]]) -> Iterator[Finding]:
    for one in found:
        where = f'in the column "{one["column"]}" of the channel {one["channel"]}' if one["column"] else f"in the channel {one['channel']}"
        rows, such_as, settings = counted(one["count"], "row"), _such_as(one), [one["setting"]]
        if one["kind"] == "placeholder_id" and one["action"] == "keep" and one["count"] >= LIMITS["placeholder_ids"]:
            text = f"{rows} {where} {_have(one['count'])} an id that stands for none{such_as}. All rows of such an id count as one."
            advice = "If it is no real name, quality_placeholder_id = drop leaves these rows out."
            yield finding("placeholder_ids", "medium", one["count"], text, advice, settings)
        if one["kind"] == "future_time" and one["count"] >= LIMITS["future_times"]:
            text = (
                f"{rows} {where} {_have(one['count'])} a time that is yet to come{such_as}: a wrong clock, or another unit than it seems."
            )
            advice = "quality_future_time decides whether such events count without a time or are left out."
            yield finding("future_times", "medium", one["count"], text, advice, settings)
        if one["kind"] == "broken_time" and one["share"] >= LIMITS["broken_times"]:
            text = f"{percent(one['share'])} of the times {where} can't be read{such_as}. Which of the events came last is not known."
            advice = "quality_broken_time decides whether such events count without a time or are left out."
            yield finding("broken_times", "medium", one["share"], text, advice, settings)


def _such_as(problem: dict[str, Any]) -> str:
    values = [example["value"] for example in problem["examples"] if example["value"]]
    return f", such as {values[0]}" if values else ""


def _is_zero(shown: str) -> bool:
    try:
        return float(shown.strip('"')) == 0
    except ValueError:
        return False


def _have(n: int) -> str:
    return "has" if n == 1 else "have"


def _were(n: int) -> str:
    return "was" if n == 1 else "were"

"""However the data are sampled, weighted and cleaned: rows read = rows in the data + merged + told to be left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.quality.small_data import Document, Good, document_of
from training.quality.finding import LIMITS


def files() -> dict[str, str]:
    data = Good(songs=60, listeners=40, per=6)
    for place, event in enumerate(data.events):
        event |= {"event_type": ("play", "skip", "like")[place % 3], "event_value": str(place % 5)}
    data.songs += [data.songs[0] | {"genre": "another"}] * 3 + [data.songs[1] | {"id": "again"}, data.songs[2] | {"id": ""}]
    data.songs[5] |= {"energy": "loud", "tempo": "0"}
    data.songs[6] |= {"year": ""}
    data.events += [data.events[0]] * 5 + [
        {"user": "u0", "item": "gone", "time": "2020-01-01", "event_type": "skip", "event_value": "2"},
        {"user": "", "item": "gone", "time": "2020-01-01"},
        {"user": "nan", "item": data.songs[0]["id"], "time": "soon", "event_type": "play", "event_value": "1"},
        {"user": "u1", "item": data.songs[0]["id"], "time": "2999-01-01", "event_type": "play", "event_value": "many"},
        {"user": "u2", "item": "null", "event_type": "play", "event_value": ""},
    ]
    data.others["users/users.csv"] = 'user_id\nu1\nsomebody\nu1\n""\n'
    return data.files()


FILES = files()
# settings, and the reasons that they give rows to be left out
SETTINGS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"missing_id"}),
    ({"sample_events": 100}, {"not_sampled"}),
    ({"sample_listeners": 10}, {"not_sampled"}),
    ({"sample_songs": 20}, {"not_sampled"}),
    ({"sample_songs": 20, "sample_events": 30, "quality_duplicate_song": "repair"}, {"not_sampled"}),
    ({"event_weights": {"skip": 0}}, {"event_type_of_weight_0"}),
    ({"event_weights": {"skip": -5}}, {"weight_not_positive"}),
    ({"min_event_value": 2}, {"below_min_event_value"}),
    ({"weighting": "value"}, {"event_value_missing_or_0"}),
    ({"min_item_events": 3, "min_user_events": 6}, {"rare_song", "short_history"}),
    ({"quality_placeholder_id": "drop", "quality_orphan_event": "drop"}, {"placeholder_id", "orphan_event"}),
    ({"quality_unreadable_value": "drop", "quality_out_of_range": "drop"}, {"unreadable_value"}),
    ({"quality_missing_value": "drop", "quality_broken_time": "drop", "quality_future_time": "drop"}, {"broken_time", "future_time"}),
    ({"quality_duplicate_song": "repair", "quality_duplicate_row": "drop"}, {"missing_id"}),
]


def left_out(document: Document, channel: str) -> int:
    return sum(one["count"] for one in document["left_out"] if one["channel"] == channel)


@pytest.mark.parametrize(("config", "reasons"), SETTINGS, ids=lambda one: " ".join(sorted(one)))
def test_every_row_is_accounted_for(tmp_path: Path, config: dict[str, Any], reasons: set[str]) -> None:
    document = document_of(tmp_path, FILES, **config)
    merged, totals = document["duplicates"], document["totals"]
    songs = totals["songs_in_catalogue"] + merged["song_rows_merged"] + merged["songs_merged_by_title_and_artist"]
    assert songs + left_out(document, "items") == totals["rows_read"]["items"] == 65
    entries = totals["entries"] + merged["event_rows_counted_together"]
    assert entries + left_out(document, "interactions") == totals["rows_read"]["interactions"] == 250
    assert 2 + merged["listener_rows_merged"] + left_out(document, "users") == totals["rows_read"]["users"] == 4
    assert reasons <= {one["reason"] for one in document["left_out"]}


@pytest.mark.parametrize(("config", "reasons"), SETTINGS, ids=lambda one: " ".join(sorted(one)))
def test_each_reason_names_the_settings_that_ask_for_it(tmp_path: Path, config: dict[str, Any], reasons: set[str]) -> None:
    found = document_of(tmp_path, FILES, **config)["left_out"]
    assert all(one["settings"] for one in found)
    assert [one["count"] for one in found] == sorted((one["count"] for one in found), reverse=True)
    asked = {name if name.startswith(("sample_", "quality_")) else f"data_{name}" for name in config}
    named = {name for one in found if one["reason"] in reasons for name in one["settings"]}
    assert named & asked or not config or reasons == {"missing_id"}


def test_what_a_setting_asked_for_deserves_no_attention(tmp_path: Path) -> None:
    """Rows that a sample or a minimum leaves out are no fault of the data."""
    document = document_of(tmp_path, FILES, sample_listeners=30, min_event_value=1)
    (lost,) = [one for one in document["attention"] if one["finding"] == "rows_left_out" and "items" in one["text"]]
    assert lost["value"] == pytest.approx(1 / 65)
    assert not [one for one in document["attention"] if one["finding"] == "rows_left_out" and "interactions" in one["text"]]
    assert LIMITS["rows_left_out"] > 1 / 250

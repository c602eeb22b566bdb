"""From rows of events to weighted entries."""

from collections.abc import Callable
from math import log2

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.data.dataset import MISSING_TIME, Dataset
from training.data.errors import UserDataError

Extract = Callable[..., Dataset]
PLAYS = "user,item,event,value,time\na,x,play,1,30\na,x,play,2,10\na,x,like,1,20\na,y,skip,1,5\nb,x,play,0,7\n"


def triples(dataset: Dataset) -> list[tuple[str, str, float]]:
    events = dataset.interactions
    return [
        (dataset.user_ids[user], dataset.item_ids[item], pytest.approx(float(weight)))
        for user, item, weight in zip(events.users, events.items, events.weights, strict=True)
    ]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, [("a", "x", 2.0), ("a", "y", 1.0), ("b", "x", 1.0)]),
        ({"weighting": "count"}, [("a", "x", 3.0), ("a", "y", 1.0), ("b", "x", 1.0)]),
        ({"weighting": "binary"}, [("a", "x", 1.0), ("a", "y", 1.0), ("b", "x", 1.0)]),
        ({"weighting": "value"}, [("a", "x", 4.0), ("a", "y", 1.0)]),
        ({"weighting": "log_value"}, [("a", "x", log2(5)), ("a", "y", 1.0)]),
        ({"weighting": "count", "event_weights": {"like": 3, "Skip": 0}}, [("a", "x", 5.0), ("b", "x", 1.0)]),
        ({"weighting": "count", "event_weights": {"like": -2, "skip": -1}}, [("b", "x", 1.0)]),
        ({"weighting": "count", "event_weights": {"like": -1.5, "skip": -1}}, [("a", "x", 0.5), ("b", "x", 1.0)]),
        ({"weighting": "count", "min_event_value": 2}, [("a", "x", 1.0)]),
        ({"weighting": "count", "min_event_value": 1, "event_weights": {"like": 2}}, [("a", "x", 4.0), ("a", "y", 1.0)]),
        ({"min_item_events": 2}, [("a", "x", 2.0), ("b", "x", 1.0)]),
        ({"min_user_events": 2}, [("a", "x", 2.0), ("a", "y", 1.0)]),
    ],
)
def test_events_weigh_what_the_configuration_says(extract_files: Extract, config: dict, expected: list) -> None:
    assert triples(extract_files({"interactions/a.csv": PLAYS}, **config)) == expected


def test_an_entry_has_the_time_of_its_last_event(extract_files: Extract) -> None:
    dataset = extract_files({"train/a.csv": PLAYS})
    assert dataset.interactions.timestamps is not None
    assert dataset.interactions.timestamps.tolist() == [30, 5, 7]


def test_times_are_none_without_any_and_missing_where_only_some_are(extract_files: Extract) -> None:
    assert extract_files({"train/a.csv": "user,item,time\na,x,soon\n"}).interactions.timestamps is None
    times = extract_files({"train/a.csv": "user,item,time\na,x,soon\na,y,5\n"}).interactions.timestamps
    assert times is not None
    assert times.tolist() == [MISSING_TIME, 5]


def test_an_event_type_that_never_occurs_is_pointed_out(extract_files: Extract, caplog: pytest.LogCaptureFixture) -> None:
    extract_files({"train/a.csv": PLAYS}, event_weights={"play": 1, "lik": 3})
    assert "event_weights_unused channel=interactions types=lik" in caplog.text


@pytest.mark.parametrize(
    ("content", "config", "message"),
    [
        ("user,item\na,x\n", {"event_weights": {"play": 1}}, "data_event_weights is set, but"),
        ("user,item\na,x\n", {"min_event_value": 4}, "data_min_event_value needs event values"),
        ("user,item\na,x\n", {"weighting": "value"}, "data_weighting=value needs event values"),
        (
            "user,item,rating\na,x,1\nb,,2\n",
            {"min_event_value": 2},
            r"none of its 2 rows .*below min event value: 1; missing id: 1; .*row 2",
        ),
        ("user,item\na,x\n", {"min_user_events": 2}, "lower data_min_item_events or data_min_user_events"),
    ],
)
def test_settings_that_leave_nothing_or_need_what_is_not_there_are_refused(
    extract_files: Extract, content: str, config: dict, message: str
) -> None:
    with pytest.raises(UserDataError, match=message):
        extract_files({"interactions/a.csv": content}, **config)


IDS = st.sampled_from(["", "a", "b", "É", "𝄞", "007", "7"])
ROWS = st.lists(st.tuples(IDS, IDS, st.sampled_from(["play", "like", "skip", ""]), st.sampled_from(["", "1", "0", "-2", "x"])), min_size=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, misshapen=st.integers(0, 2), weighting=st.sampled_from(["log", "value"]), minimum=st.sampled_from([None, 0]))
def test_no_row_is_lost_without_being_counted(
    extract_files: Extract, rows: list, misshapen: int, weighting: str, minimum: float | None
) -> None:
    lines = ["user,item,event,value", *map(",".join, rows), *["one,two"] * misshapen]
    config = {"event_weights": {"skip": 0, "like": 2}, "weighting": weighting, "min_event_value": minimum, "min_item_events": 2}
    try:
        dataset = extract_files({"interactions/a.csv": "\n".join(lines)}, **config)
    except UserDataError:
        return
    counts = {key.removeprefix("interactions."): count for key, count in dataset.counts.items()}
    dropped = sum(count for key, count in counts.items() if key.startswith("dropped"))
    assert counts["rows_read"] == len(rows) + misshapen == dropped + counts.get("rows_merged", 0) + counts["entries"]
    assert (dataset.interactions.weights > 0).all()
    assert np.isfinite(dataset.interactions.weights).all()

"""Quick ways of reading requests say what the plain ones say, mistakes included."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from inference.bodies import parse_json
from inference.checks import MAX_ID_CHARACTERS, kind
from inference.errors import RequestError
from inference.histories import Histories
from inference.request import EVENT_FIELDS, parse_request

LONG = "x" * (MAX_ID_CHARACTERS + 1)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from(["", LONG, LONG[1:], 2**53, -(2**53), 2**1000, 10**400, [], {}, ["a"]]),
)


def outcome(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except RequestError as error:
        return error.status, error.code, error.message


@given(VALUES)
def test_a_listener_alone_is_read_as_one_beside_fields_that_say_nothing(user: Any) -> None:
    alone, beside = ({"user_id": user}, {"user_id": user, "events": None})
    assert outcome(lambda: parse_request(alone)) == outcome(lambda: parse_request(beside))


def an_id(value: Any, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RequestError(422, "invalid_field", f"'{name}' must be a string or a whole number, not {kind(value)}.")
    if not 1 <= len(str(value)) <= MAX_ID_CHARACTERS:
        raise RequestError(422, "invalid_field", f"'{name}' must have 1 to {MAX_ID_CHARACTERS} characters, not {len(str(value))}.")
    return str(value)


def a_number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(422, "invalid_field", f"'{name}' must be a number, not {kind(value)}.")
    if abs(value) >= 2**1000 or not math.isfinite(value):
        raise RequestError(422, "invalid_field", f"'{name}' must be a finite number.")
    return float(value)


def an_event(value: Any, name: str) -> tuple[Any, ...]:
    """One field after the other, as the interface says."""
    if not isinstance(value, dict):
        raise RequestError(422, "invalid_field", f"'{name}' must be an object, not {kind(value)}.")
    if value.get("item_id") is None:
        raise RequestError(422, "invalid_field", f"'{name}.item_id' is missing.")
    checks = {"event_type": an_id, "event_value": a_number, "timestamp": a_number}
    id_ = an_id(value["item_id"], f"{name}.item_id")
    return id_, *(None if value.get(field) is None else check(value[field], field) for field, check in checks.items())


@given(st.lists(st.one_of(VALUES, st.dictionaries(st.sampled_from(EVENT_FIELDS), VALUES)), max_size=3))
def test_events_are_read_field_by_field_and_the_first_mistake_is_named(events: list[Any]) -> None:
    expected = outcome(lambda: [an_event(event, f"events[{place}]") for place, event in enumerate(events)])
    found = outcome(lambda: [tuple(event) for event in parse_request({"user_id": "u", "events": events}).events])
    assert found == expected


@given(st.text(' \t\n\r{}[]":,0123e.-atNn\x0b\xa0\\u', max_size=12) | VALUES.map(json.dumps))
@example("[" * 100_000)
@example('{"a":1} ')
@example('{"a":1}{')
@example("NaN")
def test_a_text_is_json_where_the_standard_library_says_so(text: str) -> None:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        expected = json.dumps(json.loads(text, parse_constant=refuse))
    except (ValueError, RecursionError):
        expected = "malformed_json"
    found = outcome(lambda: [parse_json(text)])
    assert (json.dumps(found[0]) if isinstance(found, list) else found[1]) == expected


@given(st.lists(st.lists(st.integers(-1, 9), max_size=6), max_size=5))
def test_seed_songs_of_many_requests_become_the_histories_of_each(seeds: list[list[int]]) -> None:
    histories = Histories.of_seeds([np.array(one, np.int32) for one in seeds], 10)
    rows = [histories.numbers[start:stop].tolist() for start, stop in zip(histories.starts[:-1], histories.starts[1:], strict=True)]
    assert rows == [sorted(set(one) - {-1}) for one in seeds]
    assert (histories.numbers.dtype, histories.weights.tolist()) == (np.int32, [1.0] * sum(map(len, rows)))

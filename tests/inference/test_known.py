"""A request becomes a history: what is stored, events, seeds and words, in their order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from inference.context import ContextWords
from inference.errors import RequestError
from inference.history import EventWeighting, History
from inference.known import Known, ListenerWords
from inference.order import UNKNOWN_TIME, StoredOrder
from inference.request import Event, Request, parse_request
from inference.vocabulary import Vocabulary
from tests.inference.models import sparse_rows

DAY = 86_400
# u0 played s1, s0, s2 on the days 1, 2, 4; u1 played s3 and s4, nobody knows when.
PLAYED = sparse_rows(csr_array(np.array([[1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 0, 0]], dtype=np.float32)))
TIMES = np.array([2 * DAY, 1 * DAY, 4 * DAY, UNKNOWN_TIME, UNKNOWN_TIME])
WORDS = ListenerWords(
    ContextWords(Vocabulary.of(["chill", "country=de", "rock"]), ("name",), ("country",)),
    sparse_rows(csr_array(np.array([[0, 1, 1], [0, 0, 0]], dtype=np.float32))),
)
KNOWN = Known(
    items=Vocabulary.of([f"s{i}" for i in range(7)]),
    users=Vocabulary.of(["u0", "u1"]),
    user_items=PLAYED,
    weighting=EventWeighting(),
    order=StoredOrder(TIMES, in_seconds=True),
    words=WORDS,
)
WITHOUT = replace(KNOWN, order=None, words=None)


def latest_first(history: History) -> list[int]:
    assert history.ranks is not None
    assert len(set(history.ranks.tolist())) == len(history)
    return history.numbers[np.argsort(history.ranks)].tolist()


def test_a_stored_history_is_in_the_order_of_its_times() -> None:
    assert latest_first(KNOWN.history(Request(user_id="u0"))) == [2, 0, 1]


def test_events_lie_where_their_times_say_and_those_without_come_last_in_the_order_given() -> None:
    events = (Event("s5", timestamp=3.0 * DAY), Event("s6"), Event("s3", timestamp=5.0 * DAY), Event("s4"))
    assert latest_first(KNOWN.history(Request(user_id="u0", events=events))) == [4, 6, 3, 2, 5, 0, 1]


def test_a_stored_song_that_is_played_again_becomes_the_latest() -> None:
    assert latest_first(KNOWN.history(Request(user_id="u0", events=(Event("s1"),)))) == [1, 2, 0]


def test_a_skip_makes_no_song_the_latest() -> None:
    known = replace(KNOWN, weighting=EventWeighting(event_weights={"skip": -1.0}))
    history = known.history(Request(user_id="u0", events=(Event("s5"), Event("s5", "skip"), Event("s1", "skip"), Event("s6"), Event("s6"))))
    assert latest_first(history) == [6, 2, 0, 1]


def test_events_come_after_places_in_a_list_whatever_their_times() -> None:
    in_list = replace(KNOWN, order=StoredOrder(np.arange(5), in_seconds=False))
    assert latest_first(in_list.history(Request(user_id="u0", events=(Event("s5", timestamp=1.0), Event("s6", timestamp=0.5))))) == [
        *(5, 6),
        *(2, 1, 0),
    ]


def test_seeds_come_last_and_the_last_of_them_is_the_latest() -> None:
    assert latest_first(KNOWN.history(Request(user_id="u0", items=("s6", "s5", "s6", "s3")))) == [3, 6, 5, 2, 0, 1]


def test_seeds_of_no_order_have_none() -> None:
    assert KNOWN.history(Request(items=("s6", "s5"), ordered=False)).ranks is None
    ranks = KNOWN.history(Request(user_id="u0", items=("s6", "s5"), ordered=False)).ranks
    assert ranks is not None
    assert ranks.tolist() == [3, 4, 2, 0, 0]


def test_one_song_has_no_order() -> None:
    assert KNOWN.history(Request(items=("s1",))).ranks is None


def test_a_listener_of_whom_no_time_is_known_has_no_order() -> None:
    assert KNOWN.history(Request(user_id="u1")).ranks is None
    assert WITHOUT.history(Request(user_id="u0")).ranks is None


@pytest.mark.parametrize("known", [KNOWN, WITHOUT])
def test_the_order_changes_no_weight(known: Known) -> None:
    events = (Event("s5", timestamp=3.0), Event("s5"), Event("s1"), Event("nobody knows it"))
    history = known.history(Request(user_id="u0", events=events, items=("s1", "s2")))
    assert history.numbers.tolist() == [0, 1, 2, 5]
    np.testing.assert_allclose(history.weights, [1, 3, 2, np.log2(3)])


def test_stored_weights_halve_by_their_age_when_the_newest_was_played() -> None:
    known = replace(KNOWN, weighting=EventWeighting(half_life_days=1.0))
    assert known.history(Request(user_id="u0")).weights.tolist() == [0.25, 0.125, 1.0]
    later = known.history(Request(user_id="u0", events=(Event("s5", timestamp=5.0 * DAY), Event("s6", timestamp=3.0 * DAY), Event("s3"))))
    assert later.numbers.tolist() == [0, 1, 2, 3, 5, 6]
    assert later.weights.tolist() == [0.125, 0.0625, 0.5, 1.0, 1.0, 0.25]


def test_places_in_a_list_have_no_age() -> None:
    known = replace(KNOWN, weighting=EventWeighting(half_life_days=1.0), order=StoredOrder(np.arange(5), in_seconds=False))
    assert known.history(Request(user_id="u0")).weights.tolist() == [1.0, 1.0, 1.0]


def test_words_are_those_stored_and_those_sent() -> None:
    assert KNOWN.history(Request(user_id="u0", context={"name": "Chill rock"})).words.tolist() == [0, 1, 2]
    assert KNOWN.history(Request(context={"name": "chill"})).speaks
    assert not KNOWN.history(Request(context={"name": "zzz"})).speaks
    assert WITHOUT.history(Request(user_id="u0")).words is None


def test_a_listener_is_told_by_number_and_a_new_one_by_none() -> None:
    assert KNOWN.history(Request(user_id="u1")).user == 1
    assert KNOWN.history(Request(user_id="new", items=("s1",))).user is None


@pytest.mark.parametrize(
    ("known", "context", "message"),
    [
        (KNOWN, {"nme": "x"}, "'nme'.*'name'"),
        (WITHOUT, {"name": "x"}, "leave out 'context'"),
    ],
)
def test_a_context_that_the_model_cannot_read_is_refused(known: Known, context: dict[str, str], message: str) -> None:
    with pytest.raises(RequestError, match=message) as error:
        known.history(Request(context=context))
    assert error.value.status == 422


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"items": ["a"], "ordered": "yes"}, "'ordered' must be true or false, not a string"),
        ({"context": "chill"}, "'context' must be an object, not a string"),
        ({"context": {"name": ["chill"]}}, r"'context.name' must be a string or a whole number, not a list"),
        ({"context": {"name": "x" * 1001}}, "'context.name' must have 1 to 1000 characters"),
        ({"context": {str(i): "x" for i in range(21)}}, "'context' may have at most 20 fields, not 21"),
    ],
)
def test_a_wrong_order_or_context_is_refused_by_name(value: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message) as error:
        parse_request(value)
    assert error.value.status == 422


def test_a_context_alone_is_a_request_and_empty_fields_say_nothing() -> None:
    assert parse_request({"context": {"name": "chill", "year": 2017, "country": None, "mood": ""}}).context == {
        **{"name": "chill", "year": "2017", "mood": ""},
    }

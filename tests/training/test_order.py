"""Order and words stay aligned with the histories, and weights decay alike in training and in requests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from inference.history import EventWeighting
from inference.known import Known
from inference.order import StoredOrder
from inference.request import Request
from inference.sparse import SparseRows
from inference.vocabulary import Vocabulary
from training.data.dataset import MISSING_TIME, Dataset, Interactions, ListenerWords
from training.evaluation.cases import HOLDOUT, split_cases
from training.order import decayed, values_of, with_order
from training.split import Case, Split, without

DAY = 86_400
MATRIX = csr_array(np.array([[1, 0, 2, 3], [0, 0, 0, 0], [4, 5, 0, 0], [0, 0, 6, 0]], dtype=np.float32))
TIMES = np.array([3, 9, 5, 7, 8, MISSING_TIME], dtype=np.int64)
USERS, ITEMS = MATRIX.tocoo().coords
IDS = np.array(["a", "b", "c", "d"], dtype=object)
SAID = ListenerWords(
    ("chill", "country=de", "name=road trip", "road", "trip"),
    csr_array(np.array([[0, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]], dtype=bool)),
    ("name",),
    ("country",),
)


def dataset(in_seconds: bool = True, said: ListenerWords | None = SAID) -> Dataset:
    times, positions = (TIMES, None) if in_seconds else (None, TIMES)
    return Dataset(
        IDS, IDS, Interactions(USERS.astype(np.int32), ITEMS.astype(np.int32), MATRIX.data, times, positions), listener_words=said
    )


@given(st.lists(st.just(MISSING_TIME) | st.integers(0, 60).map(lambda day: day * DAY), min_size=6, max_size=6))
def test_training_decays_the_weights_that_a_request_of_the_listener_does(days: list[int]) -> None:
    times, weighting = np.array(days, dtype=np.int64), EventWeighting(half_life_days=7.0)
    stored = SparseRows(MATRIX.indptr.astype(np.int64), MATRIX.indices.astype(np.int32), MATRIX.data, 4)
    names = Vocabulary.of(IDS.tolist())
    known = Known(names, names, stored, weighting, StoredOrder(times, in_seconds=True))
    learned = decayed(MATRIX, times, weighting)
    for user, id_ in enumerate(IDS.tolist()):
        history = known.history(Request(user_id=id_))
        row = slice(learned.indptr[user], learned.indptr[user + 1])
        assert history.numbers.tolist() == learned.indices[row].tolist()
        np.testing.assert_allclose(history.weights, learned.data[row], rtol=1e-6)


def test_nothing_decays_without_a_half_life_or_without_times() -> None:
    assert decayed(MATRIX, TIMES, EventWeighting()) is MATRIX
    assert decayed(MATRIX, None, EventWeighting(half_life_days=1.0)) is MATRIX


def split_of(*cases: Case) -> Split:
    return Split("listener", MATRIX, MATRIX, cases, cases, np.empty(0, dtype=np.int32))


SHOWN = Case(0, np.array([0, 3], dtype=np.int32), np.array([2], dtype=np.int32))


def test_a_case_gets_the_times_of_what_is_shown_and_its_words() -> None:
    for part in ("validation", "test"):
        (case,) = getattr(with_order(split_of(SHOWN), dataset(), MATRIX), part)
        assert case.shown_times.tolist() == [3, 5]
        assert case.words.tolist() == [1, 2, 3, 4]
        history = case.history()
        assert history.ranks is not None
        assert history.ranks.tolist() == [1, 0]
        assert history.weights.tolist() == [1, 1]


@pytest.mark.parametrize("in_seconds", [True, False])
def test_held_out_listeners_ask_in_their_order_and_with_their_words(in_seconds: bool) -> None:
    data = dataset(in_seconds)
    split = with_order(split_of(SHOWN, Case(2, np.array([0], dtype=np.int32), np.array([1], dtype=np.int32))), data, MATRIX)
    first, second = (case.request for case in split_cases(split, IDS, IDS, in_seconds=in_seconds)[HOLDOUT])
    assert first.context == {"name": "road trip", "country": "de"}
    assert second.context == {"name": "chill"}
    if in_seconds:
        assert [(event.item_id, event.timestamp) for event in first.events] == [("a", 3.0), ("d", 5.0)]
    else:
        assert first.items == ("a", "d")
        assert first.ordered is None


def test_without_order_and_words_held_out_listeners_show_a_set_of_songs() -> None:
    bare = Dataset(IDS, IDS, Interactions(USERS.astype(np.int32), ITEMS.astype(np.int32), MATRIX.data))
    (case,) = split_cases(with_order(split_of(SHOWN), bare, MATRIX), IDS, IDS)[HOLDOUT]
    assert (case.request.items, case.request.ordered, case.request.context) == (("a", "d"), False, {})


def test_values_of_a_part_stay_with_their_entries() -> None:
    values = np.arange(MATRIX.nnz) + 100
    keep = np.arange(MATRIX.nnz) % 2 == 0
    part = without(MATRIX, ~keep)
    assert values_of(MATRIX, values, part).tolist() == values[keep].tolist()
    assert values_of(MATRIX, None, part) is None

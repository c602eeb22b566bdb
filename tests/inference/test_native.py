"""The compiled kernels do what numpy does, to the last bit, and read and write nothing that is not theirs."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import history, sparse_ranker, vocabulary
from inference.native import library
from inference.native import ranker as native_ranker
from inference.native.library import BrokenModelError
from inference.native.look_up import LookUp
from inference.native.matrix import Matrix
from inference.native.ranker import ROOM, Ranker, _scratch
from inference.request import Request
from inference.sparse import SparseRows
from inference.vocabulary import Vocabulary
from tests.inference.many_listeners import make_model, some_requests

pytestmark = pytest.mark.skipif(library.library() is None, reason="there is no C compiler, or the kernels are switched off")

COLLIDING = ("plumless", "buckeroo")  # CRC-32 takes them for one


@pytest.fixture
def numpy_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is made within the test is made as where nothing is compiled."""
    monkeypatch.setenv(library.SWITCH_ENV, "0")
    library.library.cache_clear()
    yield
    library.library.cache_clear()


def rows(indptr: list[int], indices: list[int], values: list[float], n_columns: int) -> SparseRows:
    return SparseRows(np.array(indptr, np.int64), np.array(indices, np.int32), np.array(values, np.float32), n_columns)


# --- the same as numpy ------------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.text() | st.sampled_from(COLLIDING), unique=True, max_size=30),
    st.lists(st.text() | st.sampled_from([*COLLIDING, "\ud800", "a\0b", ""]), max_size=30),
)
def test_ids_have_the_numbers_that_numpy_finds(ids: list[str], others: list[str]) -> None:
    words = Vocabulary.of(ids)
    wanted = [*others, *ids, *others]
    assert words._compiled is not None
    assert words.numbers(wanted).tolist() == words._numbers(wanted).tolist()


def test_ids_that_share_a_hash_are_told_apart_by_their_bytes() -> None:
    assert len({zlib.crc32(id_.encode()) for id_ in COLLIDING}) == 1
    words = Vocabulary.of(["x", COLLIDING[1], "y"])
    assert words.numbers([*COLLIDING, "y"]).tolist() == [vocabulary.UNKNOWN, 1, 2]


@given(st.lists(st.tuples(st.integers(-1, 12), st.floats(-2, 2, width=32)), max_size=60), st.booleans())
def test_weights_of_a_song_add_up_in_the_order_of_its_events(events: list[tuple[int, float]], counted: bool) -> None:
    numbers = np.array([number for number, _ in events], dtype=np.int32)
    weights = np.array([weight for _, weight in events]) if counted else None
    distinct, sums = history.added_up(numbers, weights)
    wanted, wanted_sums = history._added_up(numbers, weights)
    assert distinct.tolist() == wanted.tolist()
    assert sums.tolist() == wanted_sums.tolist()


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_a_block_is_that_of_the_dense_matrix(seed: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    dense = (rng.random((7, 20)) * (rng.random((7, 20)) < density)).astype(np.float32)
    indptr, indices = np.concatenate([[0], np.cumsum((dense != 0).sum(axis=1))]), np.nonzero(dense)[1]
    matrix = SparseRows(indptr, indices.astype(np.int32), dense[dense != 0], 20)
    assert matrix.compiled is not None
    some, columns = rng.integers(0, 7, 9), rng.permutation(20)[:6]
    assert matrix.block(some, columns).tolist() == dense[some][:, columns].astype(np.float64).tolist()


def test_whole_answers_with_reasons_are_those_of_numpy(numpy_alone: None) -> None:
    requests = [replace(request, explain=True) for request in some_requests(3, 40, 10)]
    plain = make_model("not compiled", 3)
    assert plain.items._compiled is None
    assert plain._sparse is not None
    assert plain._sparse._compiled is None
    wanted = [plain.recommend(request).to_json() for request in requests]
    os.environ.pop(library.SWITCH_ENV)
    library.library.cache_clear()
    model = make_model("not compiled", 3)
    assert model.items._compiled is not None
    assert [model.recommend(request).to_json() for request in requests] == wanted


def test_a_history_that_leads_to_more_songs_than_there_is_room_for_gets_more_room() -> None:
    songs = 3 * ROOM
    operator = SparseRows(np.array([0, songs, *[songs] * (songs - 1)]), np.arange(songs, dtype=np.int32), np.ones(songs, np.float32), songs)
    popularity = np.zeros(songs, np.float32)
    assert operator.compiled is not None
    ranker = Ranker.of([(1.0, operator.compiled)], popularity, np.arange(songs, dtype=np.int32))
    assert ranker is not None
    found = ranker.rank([(np.zeros(1, np.int32), np.ones(1))], 5, np.array([0, 2], np.int32), ())
    assert found.numbers.tolist() == [1, 3, 4, 5, 6]
    assert len(found.reached) == songs


def test_what_a_very_long_history_needed_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = rows([0, 2, 2], [0, 1], [2.0, 1.0], 2)
    assert operator.compiled is not None
    ranker = Ranker.of([(1.0, operator.compiled)], np.zeros(2, np.float32), np.arange(2, dtype=np.int32))
    assert ranker is not None
    monkeypatch.setattr(native_ranker, "KEPT_ROOM", ROOM)
    many = np.zeros(ROOM, np.int32), np.ones(ROOM)
    for _ in range(2):  # as any other request, with what it finds still its own
        found = ranker.rank([many], 2, np.empty(0, np.int32), ())
        assert not hasattr(native_ranker._of_thread, "scratch")
        assert (found.numbers.tolist(), found.reached.tolist()) == ([0, 1], [0, 1])


def test_requests_one_after_the_other_know_nothing_of_each_other_however_many_there_were() -> None:
    operator = rows([0, 1, 2, 2], [1, 2], [1.0, 2.0], 3)
    assert operator.compiled is not None
    ranker = Ranker.of([(1.0, operator.compiled)], np.zeros(3, np.float32), np.arange(3, dtype=np.int32))
    assert ranker is not None
    none = np.empty(0, np.int32)

    def best(song: int) -> list[int]:
        found: list[int] = ranker.rank([(np.array([song], np.int32), np.ones(1))], 3, none, ()).numbers.tolist()
        return found

    assert best(0) == [1]
    scratch = _scratch(3, ROOM)
    scratch.struct.request = 2**32 - 1  # as after four billion requests
    scratch.place[:] = 1 << 32  # reached in the first one
    assert [best(0), best(1), best(2)] == [[1], [2], []]


# --- arrays that are not what they should be -------------------------------------------------------------------------------------------


def rank(operator: SparseRows, order: list[int], history_rows: list[int], excluded: list[int]) -> None:
    assert operator.compiled is not None
    popularity = np.ones(operator.n_columns, np.float32)
    ranker = Ranker.of([(1.0, operator.compiled), (0.5, None)], popularity, np.array(order, np.int32))
    assert ranker is not None
    terms = (np.array(history_rows, np.int32), np.ones(len(history_rows)))
    ranker.rank([terms, None], 3, np.array(excluded, np.int32), ())


@pytest.mark.parametrize(
    ("operator", "order", "asked", "excluded"),
    [
        (rows([0, 1, 1, 1], [3], [1.0], 3), [0, 1, 2], [0], []),
        (rows([0, 1, 1, 1], [-1], [1.0], 3), [0, 1, 2], [0], []),
        (rows([0, 2, 2, 2], [1], [1.0], 3), [0, 1, 2], [0], []),
        (rows([-1, 1, 1, 1], [1], [1.0], 3), [0, 1, 2], [0], []),
        (rows([1, 0, 1, 1], [1], [1.0], 3), [0, 1, 2], [0], []),
        (rows([0, 1, 1, 1], [1], [1.0], 3), [3, 1, 2], [0], []),
        (rows([0, 1, 1, 1], [1], [1.0], 3), [-1, 1, 2], [0], []),
        (rows([0, 1, 1, 1], [1], [1.0], 3), [0, 1, 2], [3], []),
        (rows([0, 1, 1, 1], [1], [1.0], 3), [0, 1, 2], [-1], []),
        (rows([0, 1, 1, 1], [1], [1.0], 3), [0, 1, 2], [0], [3]),
        (rows([0, 1, 1, 1], [1], [1.0], 3), [0, 1, 2], [0], [-2]),
    ],
)
def test_a_place_that_there_is_not_is_an_error(operator: SparseRows, order: list[int], asked: list[int], excluded: list[int]) -> None:
    with pytest.raises(BrokenModelError):
        rank(operator, order, asked, excluded)


def test_a_mask_of_another_model_is_an_error() -> None:
    operator = rows([0, 1, 1, 1], [1], [1.0], 3)
    assert operator.compiled is not None
    ranker = Ranker.of([(1.0, operator.compiled)], np.ones(3, np.float32), np.arange(3, dtype=np.int32))
    assert ranker is not None
    with pytest.raises(ValueError, match="mask"):
        ranker.rank([(np.zeros(1, np.int32), np.ones(1))], 3, np.empty(0, np.int32), [np.ones(2, bool)])


@pytest.mark.parametrize("broken", [{"order": [7, 7]}, {"order": [-1, -1]}, {"offsets": [0, 9, 9]}, {"offsets": [-3, -2, -1]}])
def test_a_vocabulary_that_points_elsewhere_is_an_error(broken: dict[str, list[int]]) -> None:
    arrays = Vocabulary.of(["a", "b"]).arrays()
    made = {name: np.array(broken.get(name, array.tolist()), dtype=array.dtype) for name, array in arrays.items()}
    look_up = LookUp.of(*(made[name] for name in Vocabulary.ARRAYS))
    assert look_up is not None
    with pytest.raises(BrokenModelError):
        look_up.numbers(["a", "b"])


def test_arrays_of_other_kinds_are_left_to_numpy() -> None:
    assert Matrix.of(np.zeros(2, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32), 3) is None
    assert Matrix.of(np.zeros(2, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float64), 3) is None
    assert Ranker.of([], np.ones(3), np.arange(3, dtype=np.int32)) is None
    assert Ranker.of([(1.0, None)] * (library.MOST_ADDENDS + 1), np.ones(3, np.float32), np.arange(3, dtype=np.int32)) is None
    arrays = Vocabulary.of(["a"]).arrays()
    assert LookUp.of(**(arrays | {"hashes": arrays["hashes"].astype(np.uint64)})) is None  # as models up to format 3 have them


def test_the_ranker_takes_what_is_compiled() -> None:
    ranker = make_model("operator and popularity")._sparse
    assert isinstance(ranker, sparse_ranker.SparseRanker)
    assert ranker._compiled is not None
    assert len(make_model("operator and popularity").rank(Request(user_id="u1"))) == 10

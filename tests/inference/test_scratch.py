"""The tables that requests use one after the other: what an earlier one left changes nothing."""

from __future__ import annotations

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.scratch import places_among, places_in

SONGS = 50
numbers = st.lists(st.integers(0, SONGS - 1), max_size=60)


@given(uses=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5))
def test_each_use_finds_its_own_numbers_and_no_earlier_one(uses: list[tuple[list[int], list[int]]]) -> None:
    for distinct, wanted in uses:
        listed = list(dict.fromkeys(distinct))
        given, asked = np.array(listed, np.int32), np.array(wanted, np.int32)
        expected = [listed.index(one) if one in listed else -1 for one in wanted]
        assert places_in(given, asked, SONGS).tolist() == expected
        at, which = places_among(given, asked, SONGS)
        assert at.tolist() == [place for place, one in enumerate(expected) if one >= 0]
        assert which.tolist() == [one for one in expected if one >= 0]


def test_threads_do_not_meet_in_it() -> None:
    wrong: list[int] = []

    def use(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(300):
            distinct = rng.permutation(5000)[: rng.integers(1, 2000)]
            found = places_in(distinct, distinct, 5000)
            if found.tolist() != list(range(len(distinct))):
                wrong.append(seed)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong

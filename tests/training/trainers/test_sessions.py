"""Which sessions are kept in the model, and that they recommend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference.history import History
from inference.scorers import SessionScorer
from inference.top_n import top_n
from tests.training.trainers.data import checkerboard, history, training_data
from tests.training.trainers.test_transitions import of_lists
from training.data.dataset import MISSING_TIME
from training.model_config import SessionsConfig
from training.trainers import sessions

DAY = 86_400


def kept_songs(scorer: SessionScorer) -> list[list[int]]:
    arrays = scorer.arrays()
    return [part.tolist() for part in np.split(arrays["songs"], arrays["indptr"][1:-1])]


def test_on_a_checkerboard_each_listener_gets_the_missing_song_of_the_own_colour() -> None:
    matrix = checkerboard()
    scorer = sessions.fit(training_data(matrix), SessionsConfig(neighbours=5))
    for user in range(len(matrix)):
        seen = history(matrix, user)
        scores = scorer.scores(seen)
        scores[seen.numbers] = -np.inf
        assert top_n(scores, 1)[0] % 2 == user % 2


def test_of_too_many_sessions_the_latest_are_kept() -> None:
    lists = [[0, 1], [1, 2], [], [2, 3], [3, 4]]
    data = of_lists(lists, 5, [[5, 90], [80, 70], [], [1, 2], [MISSING_TIME, 85]])
    assert kept_songs(sessions.fit(data, SessionsConfig(max=2))) == [[0, 1], [3, 4]]
    assert kept_songs(sessions.fit(data, SessionsConfig())) == [[0, 1], [1, 2], [2, 3], [3, 4]]


def test_without_times_a_sample_is_kept_and_the_same_one_for_the_same_seed() -> None:
    data = replace(of_lists([[i, i + 1] for i in range(50)], 51), in_seconds=False)
    first = kept_songs(sessions.fit(data, SessionsConfig(max=10)))
    assert len(first) == 10
    assert first == kept_songs(sessions.fit(data, SessionsConfig(max=10)))
    assert first != kept_songs(sessions.fit(replace(data, seed=2), SessionsConfig(max=10)))


def test_an_old_session_weighs_half_with_every_half_life() -> None:
    data = of_lists([[0, 1], [0, 2], [0, 3]], 4, [[0, 8 * DAY], [0, 6 * DAY], [MISSING_TIME, 4 * DAY]])
    config = SessionsConfig(half_life_days=2.0, rarity_exponent=0.0, item_exponent=0.0, patience=0.0, reach=0.0)
    scores = sessions.fit(data, config).scores(History.of(np.array([0]), np.ones(1)))
    np.testing.assert_allclose(scores[1:], np.array([4, 2, 1]) / 7, rtol=1e-6)


def test_songs_near_the_latest_common_song_count_most() -> None:
    data = of_lists([[0, 1, 2, 3, 4, 5]], 7)
    config = SessionsConfig(reach=1.0, item_exponent=0.0)
    scores = sessions.fit(data, config).scores(History.of(np.array([1, 4]), np.ones(2), np.array([0, 1])))
    np.testing.assert_allclose(scores, [*np.exp([-4.0, -3.0, -2.0, -1.0, 0.0, -1.0]), 0.0], rtol=1e-6)
    again = sessions.fit(data, config).scores(History.of(np.array([1, 4]), np.ones(2), np.array([1, 0])))
    assert again[0] == again[2] > again[3]


def test_the_session_of_the_one_who_asks_does_not_count() -> None:
    data = replace(of_lists([[0, 1], [0, 2]], 3), users=np.array([7, 8]))
    scorer = sessions.fit(data, SessionsConfig())
    own = History(np.array([0], dtype=np.int32), np.ones(1, dtype=np.float32), user=7)
    assert scorer.scores(own)[1] == 0
    assert scorer.scores(own)[2] > 0


def test_no_session_at_all_is_no_opinion() -> None:
    scorer = sessions.fit(of_lists([[], []], 3), SessionsConfig(max=1))
    assert scorer.scores(History.of(np.array([0]), np.ones(1))).tolist() == [0, 0, 0]

"""What a request gets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.history import EventWeighting
from inference.request import Event, Request
from inference.scorers import HybridScorer
from tests.inference.features.songs import raw_song
from tests.inference.models import SONGS, make_recommender

MODEL = make_recommender()
song_ids = st.one_of(st.integers(0, SONGS - 1).map(lambda i: f"s{i}"), st.just("unknown"))
requests = st.builds(
    Request,
    user_id=st.sampled_from([None, "u0", "u3", "nobody"]),
    events=st.lists(st.builds(lambda id_, kind: Event(id_, kind), song_ids, st.sampled_from([None, "play"])), max_size=4).map(tuple),
    items=st.lists(song_ids, max_size=4).map(tuple),
    songs=st.lists(st.integers(0, 60).map(raw_song) | st.just({"item_id": "s3", "artist": "artist 1"}) | st.just({}), max_size=2).map(
        tuple
    ),
    exclude=st.lists(song_ids, max_size=4).map(tuple),
    candidates=st.none() | st.lists(song_ids, max_size=6).map(tuple),
    num_recommendations=st.none() | st.integers(1, SONGS + 5),
    exclude_seen=st.sampled_from([None, True, False]),
    explain=st.booleans(),
    metadata=st.booleans(),
)


def ids(request: Request) -> list[str]:
    return [r.item_id for r in MODEL.recommend(request).recommendations]


@given(request=requests)
def test_any_request_is_answered_with_distinct_songs_that_it_allows(request: Request) -> None:
    answer = ids(request)
    assert len(answer) == len(set(answer)) <= request.limit
    assert not set(answer) & set(request.exclude)
    if request.candidates is not None:
        assert set(answer) <= set(request.candidates)
    if request.leaves_out_seen:
        assert not set(answer) & {MODEL.items.id(n) for n in MODEL.history(request).numbers.tolist()}


@given(request=requests)
def test_a_list_is_as_long_as_asked_unless_the_songs_run_out(request: Request) -> None:
    allowed = {f"s{i}" for i in range(SONGS)} if request.candidates is None else set(request.candidates) - {"unknown"}
    allowed -= set(request.exclude)
    if request.leaves_out_seen:
        allowed -= {MODEL.items.id(n) for n in MODEL.history(request).numbers.tolist()}
        allowed -= {song["item_id"] for song in request.songs if "item_id" in song}
    assert len(ids(request)) == min(request.limit, len(allowed))


@given(request=requests)
def test_the_reasons_of_a_song_sum_to_one_when_all_are_given(request: Request) -> None:
    history = MODEL.history(request)
    seeds = MODEL._seeds(request, history)
    ranking = MODEL.ranking(request)
    if not len(history) and seeds is None:
        return
    parts = MODEL.scorer.contributions_by_model(history, ranking.numbers, "hybrid") if len(history) else {}
    parts = parts if seeds is None else seeds.contributions(parts, ranking.numbers)
    np.testing.assert_allclose(sum(parts.values()).sum(axis=0), ranking.scores, atol=1e-6)


@given(request=requests)
def test_rank_gives_the_numbers_of_recommend(request: Request) -> None:
    assert [MODEL.items.id(n) for n in MODEL.rank(request).tolist()] == ids(request)


def test_a_reason_is_the_exact_share_of_the_score() -> None:
    request = Request(items=("s1", "s2"), explain=True, num_recommendations=5)
    history = MODEL.history(request)
    for recommendation in MODEL.recommend(request).recommendations:
        number = MODEL.items.number(recommendation.item_id)
        by_song = sum(MODEL.scorer.contributions_by_model(history, np.array([number]), "hybrid").values())
        assert recommendation.reasons
        for reason in recommendation.reasons:
            row = -1 if reason.item_id is None else ["s1", "s2"].index(reason.item_id)
            assert reason.share == pytest.approx(by_song[row, 0] / recommendation.score, rel=1e-4)
            assert sum(reason.models.values()) == pytest.approx(reason.share)


def test_nothing_known_falls_back_to_popularity_and_says_so() -> None:
    for request in (Request(user_id="nobody"), Request(items=("unknown",)), Request(events=(Event("unknown"),))):
        answer = MODEL.recommend(request)
        assert answer.fallback == "popularity"
        assert [r.item_id for r in answer.recommendations] == [f"s{i}" for i in range(10)]
    assert MODEL.recommend(Request(items=("unknown", "unknown"))).unknown_items == ("unknown",)


def test_a_seed_that_nobody_has_played_is_answered_by_content_and_says_so() -> None:
    answer = MODEL.recommend(Request(items=(f"s{SONGS - 1}",), explain=True))
    assert answer.fallback == "content"
    assert set(answer.recommendations[0].reasons[0].models) == {"content"}


def test_a_list_that_the_model_cannot_fill_is_filled_by_popularity_and_says_so() -> None:
    ease = MODEL.with_model("ease")
    answer = ease.recommend(Request(items=("s1",), num_recommendations=SONGS, explain=True))
    scores = [r.score for r in answer.recommendations]
    assert answer.fallback == "popularity_fill"
    assert len(scores) == SONGS - 1
    neutral = [r for r in answer.recommendations if r.score == 0]
    assert neutral
    assert all(dict(r.reasons[0].models) == {"popularity": 1.0} for r in neutral)
    assert scores == sorted(scores, reverse=True)


def test_a_known_listener_is_answered_from_the_stored_history_and_fresh_events_change_it() -> None:
    stored = MODEL.history(Request(user_id="u0"))
    both = MODEL.history(Request(user_id="u0", events=(Event("s7"), Event("s7"))))
    assert len(stored)
    assert set(stored.numbers) | {7} == set(both.numbers)
    before = dict(zip(stored.numbers.tolist(), stored.weights.tolist(), strict=True)).get(7, 0.0)
    assert dict(zip(both.numbers.tolist(), both.weights.tolist(), strict=True))[7] == pytest.approx(before + np.log2(3))


def test_a_skipped_song_of_weight_zero_is_no_history() -> None:
    from dataclasses import replace

    from inference.history import EventWeighting

    model = replace(MODEL, weighting=EventWeighting(event_weights={"skip": 0.0}))
    assert len(model.history(Request(events=(Event("s1", "skip"),)))) == 0


def test_metadata_comes_when_asked_for() -> None:
    assert MODEL.recommend(Request(user_id="u0", metadata=True)).recommendations[0].metadata
    assert MODEL.recommend(Request(user_id="u0")).recommendations[0].metadata is None


def test_an_unknown_model_name_is_refused() -> None:
    with pytest.raises(KeyError):
        MODEL.with_model("neural")


def test_a_song_that_was_just_skipped_is_not_recommended_back() -> None:
    model = replace(MODEL, weighting=EventWeighting(event_weights={"skip": 0.0}))
    top = model.recommend(Request(user_id="u0", num_recommendations=1)).recommendations[0].item_id
    again = model.recommend(Request(user_id="u0", events=(Event(top, "skip"),), num_recommendations=SONGS))
    assert top not in [r.item_id for r in again.recommendations]


def test_songs_that_nobody_played_and_no_model_knows_are_answered_by_popularity_and_said_so() -> None:
    scorers = {"popularity": MODEL.scorers["popularity"]}
    model = replace(MODEL, listeners=np.zeros(SONGS, np.int32), hybrid=HybridScorer(scorers, {"popularity": 1.0}))
    assert model.recommend(Request(items=("s1",))).fallback == "popularity"

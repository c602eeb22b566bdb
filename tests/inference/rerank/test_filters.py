"""Which songs a filter lets through: against a look at every song, one by one."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.errors import RequestError
from inference.features.store import FeatureStore
from inference.features.values import normal
from inference.rerank.columns import SongColumns
from inference.rerank.conditions import parse_filter
from inference.rerank.filters import Filters
from inference.rerank.folded import Folded
from inference.rerank.mask_cache import MaskCache
from inference.texts import Texts
from tests.inference.features.songs import GENRES, make_features, make_transform, raw_song

TRANSFORM = make_transform()
LABELS = {"genre": "genres", "artist": "artists", "emotion": "emotion", "album": "album", "language": "language", "mood": "mood"}
NUMBERS = {"year": "release_year", "energy": "energy", "tempo": "tempo", "plays": "plays", "decade": "decade"}
FLAGS = {"explicit": "explicit", "good_for_running": "good_for_running"}
names = st.sampled_from(
    [*GENRES, "ROCK", " Hip  Hop", "artist 1", "Artist 3", "guest", "joy", "sadness", "odd", "Album 2", "en", "calm", "none"]
)
amounts = st.sampled_from([1975, 1980, 1990.0, 0.3, 0.5, 1, 70, 105.0, 130, 10])
bounds = st.dictionaries(st.sampled_from(["gte", "gt", "lte", "lt"]), amounts, min_size=1, max_size=2)
exists = st.booleans().map(lambda yes: {"exists": yes})


def listed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = values | st.lists(values, min_size=1, max_size=12)
    return some | st.fixed_dictionaries({"any": some}, optional={"not": some}) | some.map(lambda value: {"not": value}) | exists


filters = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(LABELS)), listed(names)),
        st.tuples(st.sampled_from(sorted(NUMBERS)), listed(amounts) | bounds),
        st.tuples(st.sampled_from(sorted(FLAGS)), listed(st.booleans())),
        st.tuples(st.sampled_from(["lyrics", "audio", "title"]), exists),
    ),
    min_size=1,
    max_size=4,
).map(dict)


def make_filters(songs: list[int]) -> tuple[Filters, FeatureStore, list[str]]:
    store = make_features(TRANSFORM, [raw_song(i) for i in songs])
    titles = ["" if i % 4 == 0 else f"Title {i}" for i in songs]
    return Filters(SongColumns(store, TRANSFORM, {"title": Texts.of(titles)}), store), store, titles


def holds(value: Any, condition: Any) -> bool:
    """Whether one song's value meets a condition: the slow way."""
    found = value if isinstance(value, list) else [] if value is None else [value]
    forms = [normal(one) if isinstance(one, str) else np.float32(one) for one in found]
    if not isinstance(condition, dict):
        condition = {"any": condition}

    def has(wanted: Any) -> bool:
        wanted = wanted if isinstance(wanted, list) else [wanted]
        return any((normal(one) if isinstance(one, str) else np.float32(one)) in forms for one in wanted)

    checks = {
        "any": has,
        "not": lambda wanted: not has(wanted),
        "exists": lambda yes: bool(found) == yes,
        **{
            name: lambda bound, name=name: (
                bool(forms) and getattr(operator, {"gte": "ge", "lte": "le"}.get(name, name))(forms[0], np.float32(bound))
            )
            for name in ("gte", "gt", "lte", "lt")
        },
    }
    return all(checks[name](operand) for name, operand in condition.items())


@settings(deadline=None)
@given(songs=st.lists(st.integers(0, 60), min_size=1, max_size=12), asked=filters)
def test_a_filter_lets_through_what_a_look_at_each_song_does(songs: list[int], asked: dict[str, Any]) -> None:
    filters, store, titles = make_filters(songs)
    columns = {**LABELS, **NUMBERS, **FLAGS}

    def value(song: int, column: str) -> Any:
        if column == "title":
            return titles[song] or None
        return found if (found := store.row(song)[columns.get(column, column)]) is None or column not in ("lyrics", "audio") else [0]

    expected = [all(holds(value(song, column), condition) for column, condition in asked.items()) for song in range(len(songs))]
    for _ in range(2):  # computed, and kept
        assert filters.mask(parse_filter(asked, "filter")).tolist() == expected


def mask(asked: dict[str, Any], songs: int = 24) -> list[int]:
    return np.flatnonzero(make_filters(list(range(songs)))[0].mask(parse_filter(asked, "filter"))).tolist()


def test_a_column_is_called_as_the_catalogue_calls_it_or_as_we_do_and_has_the_units_of_its_name() -> None:
    assert mask({"Artist(s)": "artist 1"}) == mask({"artist": "artist 1"}) == mask({"artists": "ARTIST 1"}) != []
    assert mask({"Energy": {"gte": 50}}) == mask({"energy": {"gte": 0.5}}) != []
    assert mask({"release_year": {"gte": 1990}}) == mask({"year": {"gte": "1990-01-01"}}) == [i for i in range(15, 24) if i % 24]
    assert mask({"Plays": 70}) == mask({"plays": [70]}) == [7]
    assert mask({"duration": {"lte": "03:00"}}) == mask({"duration": {"lte": 180}}) != []


def test_a_song_that_lacks_the_column_meets_only_negative_conditions() -> None:
    lacking = mask({"year": {"exists": False}})
    assert lacking == [0]
    for condition in (1990, {"gte": 0}, {"lt": 3000}, {"exists": True}):
        assert 0 not in mask({"year": condition})
    assert 0 in mask({"year": {"not": 1990}})


def test_keys_are_read_as_catalogues_write_them() -> None:
    a_minor = [i for i in mask({"key": "A"}) if i in mask({"mode": "minor"})]
    assert mask({"key": "A min"}) == mask({"key": "Am"}) == mask({"key": ["8A"]}) == a_minor
    assert mask({"key": "C#/Db"}) == mask({"key": 1}) == mask({"key": "d flat"}) != []
    assert mask({"mode": "maj"}) == mask({"mode": 1}) == mask({"mode": {"not": ["minor"]}}) != []


def test_a_precision_of_32_bits_does_not_cut_off_the_bound_itself() -> None:
    songs = mask({"energy": 0.3}, 60)
    assert songs
    assert set(songs) <= set(mask({"energy": {"lte": 0.3}}, 60)) & set(mask({"energy": {"gte": 0.3}}, 60))
    assert not set(songs) & set(mask({"energy": {"lt": 0.3}}, 60))


def test_a_model_without_a_catalogue_says_so() -> None:
    filters = Filters(SongColumns(None, None, {}), None)
    with pytest.raises(RequestError, match="trained without a catalogue"):
        filters.mask(parse_filter({"genre": "rock"}, "filter"))


def test_a_model_of_texts_alone_is_filtered_by_these() -> None:
    filters = Filters(SongColumns(None, None, {"artist": Texts.of(["A & B", "", "a & b"])}), None)
    assert filters.mask(parse_filter({"artist": "A & B"}, "filter")).tolist() == [True, False, True]
    assert filters.mask(parse_filter({"artist": {"exists": False}}, "filter")).tolist() == [False, True, False]


def test_what_is_kept_can_not_be_written_to_and_is_not_computed_again() -> None:
    filters, _, _ = make_filters(list(range(12)))
    asked = parse_filter({"genre": "rock"}, "filter")
    first = filters.mask(asked)
    assert filters.mask(asked) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = True


def test_a_very_long_condition_is_not_kept() -> None:
    filters, _, _ = make_filters(list(range(12)))
    filters.mask(parse_filter({"genre": [f"genre {i}" for i in range(200)]}, "filter"))
    assert len(filters.kept) == 0


@settings(deadline=None)
@given(keys=st.lists(st.integers(0, 6), max_size=30), limit=st.integers(0, 50))
def test_the_cache_never_holds_more_than_its_bytes_and_drops_the_least_recently_used(keys: list[int], limit: int) -> None:
    cache, latest = MaskCache(limit), []
    for key in keys:
        assert cache.get(key, lambda key=key: np.full(key * 3, key % 2 == 0)).tolist() == [key % 2 == 0] * (key * 3)
        latest = [other for other in latest if other != key] + ([key] if key * 3 <= limit else [])
        while sum(other * 3 for other in latest) > limit:
            latest.pop(0)
        assert cache.bytes == sum(other * 3 for other in latest) <= limit
        assert len(cache) == len(latest)


def test_long_conditions_count_for_what_they_take_themselves() -> None:
    filters, _, _ = make_filters(list(range(3)))
    filters.kept.limit = 50_000
    for i in range(40):
        filters.mask(parse_filter({"genre": f"{i}" * 500}, "filter"))
    assert 0 < len(filters.kept) < 40
    assert filters.kept.bytes <= 50_000


@settings(deadline=None)
@given(texts=st.lists(st.text("aA bß", max_size=4), max_size=12), wanted=st.text("aA bß", max_size=4))
def test_folded_texts_are_found_in_every_spelling(texts: list[str], wanted: str) -> None:
    expected = [place for place, text in enumerate(texts) if normal(text) == normal(wanted)]
    assert Folded(Texts.of(texts)).places(wanted) == expected

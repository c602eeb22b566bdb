"""What deserves attention is told from its limit on, not before, and nothing is told of good data."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training.quality.cases import CASES
from tests.training.quality.small_data import Document, Good, document_of, read
from training.config import TrainingConfig
from training.quality.document import quality_document
from training.quality.finding import LIMITS, ORDER

BELOW = {"few_songs", "few_listeners", "thin_songs"}  # told of what is below the limit
HYPERPARAMETERS = set(TrainingConfig().to_flat_dict())


def names(document: Document) -> list[str]:
    return [one["finding"] for one in document["attention"]]


def one(document: Document, name: str) -> dict[str, Any]:
    (found,) = [found for found in document["attention"] if found["finding"] == name]
    return found


def test_every_finding_that_has_a_limit_has_a_case() -> None:
    assert CASES.keys() == LIMITS.keys()


def test_nothing_is_told_of_good_data(tmp_path: Path) -> None:
    assert names(document_of(tmp_path, Good().files())) == []


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Document]:
    """What is told of the data of a case that are just beyond the limit."""
    return functools.cache(lambda name: document_of(tmp_path_factory.mktemp(name), CASES[name].data(CASES[name].at).files()))


@pytest.mark.parametrize("name", CASES)
def test_a_finding_is_told_from_its_limit_on(told: Callable[[str], Document], name: str) -> None:
    case = CASES[name]
    assert sorted(names(told(name))) == sorted([name, *case.also])
    found = one(told(name), name)
    assert found["severity"] == case.severity
    assert found["value"] == pytest.approx(case.value, rel=1e-5)
    assert found["limit"] == LIMITS[name]
    assert found["value"] < LIMITS[name] if name in BELOW else found["value"] >= LIMITS[name]


@pytest.mark.parametrize("name", CASES)
def test_a_finding_is_not_told_before_its_limit(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    assert names(document_of(tmp_path, case.data(case.before).files())) == list(case.also)


@pytest.mark.parametrize("name", CASES)
def test_a_finding_says_what_is_so_what_to_do_and_which_hyperparameters_do_it(told: Callable[[str], Document], name: str) -> None:
    found = one(told(name), name)
    for sentence in (found["text"], found["advice"]):
        assert re.fullmatch(r"(?:[A-Z0-9<>]|[a-z]+_).{20,}[.]", sentence)
        assert not re.search(r"  | ,|\bNone\b|\bnan\b|[{}]", sentence)
    assert set(found["settings"]) <= HYPERPARAMETERS
    named = {word for word in re.findall(r"\w+", f"{found['text']} {found['advice']}") if "_" in word}
    assert named & HYPERPARAMETERS == {setting for setting in found["settings"] if "_" in setting}
    assert all(setting in found["advice"] for setting in found["settings"])


# what it is: the case, the change that makes it graver, the one that does not yet, and how grave it is then and before
GRAVER = {
    "a tenth of the rows": ("rows_left_out", 107, 106, "high", "medium"),
    "a tenth of the values": ("values_lost", 12, 11, "high", "medium"),
    "nothing that songs could be alike by": ("no_column", 3, 2, "high", "medium"),
    "hardly any listener": ("few_listeners", 19, 20, "high", "medium"),
    "half of the entries": ("orphan_events", 960, 959, "high", "medium"),
    "not one year": ("mostly_missing", 120, 119, "medium", "low"),
}


@pytest.mark.parametrize("what", GRAVER)
def test_what_is_worse_is_graver(tmp_path: Path, what: str) -> None:
    name, at, before, graver, than = GRAVER[what]
    assert one(document_of(tmp_path / "at", CASES[name].data(at).files()), name)["severity"] == graver
    assert one(document_of(tmp_path / "before", CASES[name].data(before).files()), name)["severity"] == than


@pytest.mark.parametrize("column", ["genre", "artist", "title"])
def test_what_songs_are_known_by_matters_more_when_it_is_missing(tmp_path: Path, column: str) -> None:
    data = Good()
    for song in data.songs[:60]:
        song[column] = ""
    assert one(document_of(tmp_path, data.files()), "mostly_missing")["severity"] == "medium"


def test_the_gravest_come_first_and_the_order_is_always_the_same(tmp_path: Path) -> None:
    data = Good()
    for name in ("test_known", "rows_left_out", "tempo_zeros", "values_lost", "one_artist", "future_times", "files_ignored"):
        CASES[name].change(data, CASES[name].at)
    found = document_of(tmp_path, data.files())["attention"]
    order = [(ORDER[each["severity"]], list(LIMITS).index(each["finding"])) for each in found]
    assert order == sorted(order)
    assert {each["severity"] for each in found} == {"high", "medium", "low"}
    assert len(found) == 7


def test_an_impossible_tempo_that_is_not_0_is_a_lost_value(tmp_path: Path) -> None:
    data = Good()
    for song in data.songs[:2]:
        song["tempo"] = "-7"
    assert names(document_of(tmp_path, data.files())) == ["values_lost"]


def test_of_few_listeners_one_is_heavy_only_far_above_the_others(tmp_path: Path) -> None:
    for n, expected in ((87, ["heavy_listener"]), (86, [])):  # 10 times the average of 121 listeners; above 5 % are both
        data = Good()
        CASES["heavy_listener"].change(data, n)
        assert names(document_of(tmp_path / str(n), data.files())) == expected


def test_a_gap_of_two_days_is_none_however_short_the_log(tmp_path: Path) -> None:
    for gap, expected in ((3, ["gap_in_time"]), (2, [])):
        data = Good()
        for place, event in enumerate(data.events):
            event["time"] = f"2020-01-{1 + place % 5 if place % 10 < 5 else 6 + gap + place % 5:02}"
        assert names(document_of(tmp_path / str(gap), data.files())) == expected


def test_times_of_0_are_pointed_out(tmp_path: Path) -> None:
    data = Good()
    data.events[0]["time"] = "1970-01-01"
    found = one(document_of(tmp_path, data.files()), "early_times")
    assert "1970-01-01" in found["text"]


def test_a_small_number_of_songs_is_not_called_concentrated(tmp_path: Path) -> None:
    """Of 99 songs the first alone is the hundredth part, and songs with one listener say little."""
    data = Good(songs=99, listeners=100, per=5)
    for place, event in enumerate(data.events):
        event["item"] = data.songs[0 if place % 5 < 4 else place // 5 % 99]["id"]
    assert not {"popularity_concentrated", "songs_played_once"} & set(names(document_of(tmp_path, data.files())))


def test_fewer_songs_are_enough_for_the_evaluation_if_the_setting_says_so(tmp_path: Path) -> None:
    files = CASES["short_histories"].data(61).files()
    for fewest, expected in ((4, []), (5, ["short_histories"])):
        config = TrainingConfig.from_hyperparameters({"split_min_listener_items": str(fewest)})
        dataset, _ = read(tmp_path / str(fewest), files)
        assert names(quality_document(dataset, config)) == expected


def test_what_the_settings_already_take_care_of_is_not_told(tmp_path: Path) -> None:
    for name, config in (
        ("values_lost", {"quality_unreadable_value": "drop"}),
        ("tempo_zeros", {"quality_out_of_range": "drop"}),
        ("placeholder_ids", {"quality_placeholder_id": "drop"}),
        ("duplicate_songs", {"quality_duplicate_song": "repair"}),
        ("orphan_events", {"quality_orphan_event": "drop"}),
    ):
        document = document_of(tmp_path / name, CASES[name].data(CASES[name].at).files(), **config)
        assert name not in names(document)


def test_a_column_that_is_also_named_as_an_own_feature_is_told_of_once(tmp_path: Path) -> None:
    data = CASES["popularity_zero"].data(31)
    assert names(document_of(tmp_path, data.files(), features_numeric="popularity")) == ["popularity_zero"]


def test_the_language_of_the_lyrics_may_be_one(tmp_path: Path) -> None:
    data = Good()
    for i, song in enumerate(data.songs):
        song["lyrics"] = f"I was on the road with you and all that we had was the night {i}"
    document = document_of(tmp_path, data.files())
    assert [column["distinct"] for column in document["catalogue"]["columns"] if column["name"] == "language"] == [1]
    assert names(document) == []

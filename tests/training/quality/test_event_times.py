"""When people listened: every event is in one period, and the periods have no gaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.dataset import MISSING_TIME
from training.quality import event_times
from training.quality.event_times import describe_times

START = datetime(2020, 1, 1, tzinfo=UTC)
DAY = 86_400


def seconds(*moments: datetime | None) -> np.ndarray:
    return np.array([MISSING_TIME if one is None else int(one.timestamp()) for one in moments], dtype=np.int64)


def periods(first: datetime, last: datetime, unit: str) -> list[str]:
    """Each day, month or year from the first moment to the last, as ISO 8601 writes it."""
    length = {"day": 10, "month": 7, "year": 4}[unit]
    days = [first + timedelta(n) for n in range((last.date() - first.date()).days + 1)]
    return list(dict.fromkeys(day.isoformat()[:length] for day in days))


@pytest.mark.parametrize("nothing", [None, np.empty(0, np.int64), seconds(None, None)])
def test_events_without_a_time_have_no_range(nothing: np.ndarray | None) -> None:
    assert describe_times(nothing) is None


@settings(max_examples=40, deadline=None)
@given(offsets=st.lists(st.one_of(st.none(), st.integers(0, 100 * DAY)), min_size=1, max_size=12), factor=st.sampled_from([1, 40, 700]))
def test_each_event_is_counted_in_its_period(offsets: list[int | None], factor: int) -> None:
    moments = [None if offset is None else START + timedelta(seconds=offset * factor) for offset in offsets]
    present = [moment for moment in moments if moment is not None]
    found = describe_times(seconds(*moments))
    if not present:
        assert found is None
        return
    assert found is not None
    assert found["first"] == f"{min(present):%Y-%m-%dT%H:%M:%S}Z"
    assert found["last"] == f"{max(present):%Y-%m-%dT%H:%M:%S}Z"
    assert found["missing"] == offsets.count(None)
    assert found["missing_share"] == pytest.approx(offsets.count(None) / len(offsets), rel=1e-5)
    assert found["periods"] == periods(min(present), max(present), found["unit"])
    length = len(found["periods"][0])
    assert found["counts"] == [sum(one.isoformat()[:length] == period for one in present) for period in found["periods"]]


@pytest.mark.parametrize(
    ("days", "unit", "n"), [(0, "day", 1), (91, "day", 92), (92, "month", 4), (3652, "month", 120), (3653, "year", 11)]
)
def test_the_finest_unit_is_taken_that_a_plot_has_room_for(days: int, unit: str, n: int) -> None:
    first = datetime(2020, 1, 1, tzinfo=UTC)
    found = describe_times(seconds(first, first + timedelta(days)))
    assert found is not None
    assert (found["unit"], len(found["periods"])) == (unit, n)


def test_times_far_from_all_others_are_counted_at_the_ends() -> None:
    times = np.array([-30_000_000_000, *[int(START.timestamp())] * 5, 90_000_000_000], dtype=np.int64)
    found = describe_times(times)
    assert found is not None
    assert (found["first"][:4], found["last"][:4]) == ("1019", "4821")
    assert (found["periods"][0], found["periods"][-1]) == ("1920", "2120")
    assert (found["counts"][0], found["counts"][100], found["counts"][-1]) == (1, 5, 1)
    assert sum(found["counts"]) == 7


def test_many_events_are_counted_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    times = seconds(*[None if n % 5 == 0 else START + timedelta(n * n % 50) for n in range(100)])
    whole = describe_times(times)
    monkeypatch.setattr(event_times, "BLOCK", 7)
    assert describe_times(times) == whole

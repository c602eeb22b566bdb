"""Counting gives one result, however the rows are cut and ordered, and whether or not they fit into memory."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.history import EventWeighting
from training.data.counting import EventCounter, EventRows
from training.data.dataset import MISSING_TIME
from training.data.entries import Entries
from training.data.id_table import MERGE_FROM, IdTable

Row = tuple[str, str, float, int]
IDS = st.sampled_from(["a", "b", "É", "𝄞", "\uffff", "007", "7", "x" * 300])
WEIGHTS = st.sampled_from([1.0, 2.0, -1.0, 0.1, 0.3, 1e-9, 1e9, -0.7])
ROWS = st.lists(st.tuples(IDS, IDS, WEIGHTS, st.sampled_from([MISSING_TIME, 5, 9])), min_size=1, max_size=60)


def rows_of(some: list[Row]) -> EventRows:
    def coded(place: int) -> tuple[pa.Array, np.ndarray]:
        encoded = pa.array([row[place] for row in some], pa.large_string()).dictionary_encode()
        return encoded.dictionary, encoded.indices.to_numpy().astype(np.int32)

    weights = np.array([row[2] for row in some])
    return EventRows(*coded(0), *coded(1), weights, np.array([row[3] for row in some], dtype=np.int64))


def counted(rows: list[Row], sizes: list[int], in_memory: int, weighting: str, folder: Path) -> tuple[Entries, Counter[str]]:
    counts: Counter[str] = Counter()
    with EventCounter(in_memory, folder) as counter:
        start = 0
        while start < len(rows):
            size = sizes[start % len(sizes)]
            counter.add(rows_of(rows[start : start + size]))
            start += size
        return counter.finish(weighting, "interactions", counts), counts


def as_tuples(entries: Entries) -> list[tuple[str, str, bytes, int]]:
    columns = (entries.users.tolist(), entries.items.tolist(), entries.weights, entries.seconds.tolist())
    return [(entries.user_ids[u], entries.item_ids[i], w.tobytes(), t) for u, i, w, t in zip(*columns, strict=True)]


@settings(max_examples=150, deadline=None)
@given(
    rows=ROWS,
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    in_memory=st.sampled_from([1, 7, 1000]),
    weighting=st.sampled_from(["log", "count", "binary"]),
    random=st.randoms(use_true_random=False),
)
def test_any_cut_and_order_gives_the_same_bits_and_they_are_those_of_a_plain_count(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], sizes: list[int], in_memory: int, weighting: str, random: object
) -> None:
    folder = tmp_path_factory.mktemp("spilled")
    entries, counts = counted(rows, [len(rows)], 1000, weighting, folder)
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again, counts_again = counted(shuffled, sizes, in_memory, weighting, folder)
    assert as_tuples(entries) == as_tuples(again)
    assert counts == counts_again
    assert list(folder.iterdir()) == []

    plain: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for user, item, weight, seconds in rows:
        plain.setdefault((user, item), []).append((weight, seconds))
    sums = {pair: sum(sorted(weight for weight, _ in some)) for pair, some in plain.items()}
    wanted = sorted(pair for pair, total in sums.items() if total > 0)
    assert [(user, item) for user, item, _, _ in as_tuples(entries)] == wanted
    transform = EventWeighting(weighting).transform
    np.testing.assert_allclose(entries.weights, transform(np.array([sums[pair] for pair in wanted])), rtol=1e-6)
    assert entries.seconds.tolist() == [max(seconds for _, seconds in plain[pair]) for pair in wanted]
    assert counts["interactions.rows_merged"] == len(rows) - len(plain)
    assert counts["interactions.dropped_weight_not_positive"] == len(plain) - len(wanted)


def test_what_was_written_to_disk_goes_also_when_something_fails(tmp_path: Path) -> None:
    def fail_after_writing() -> None:
        with EventCounter(1, tmp_path) as counter:
            counter.add(rows_of([("a", "b", 1.0, 1), ("a", "c", 1.0, 1)]))
            assert counter.spilled_bytes == 48
            assert any(tmp_path.rglob("*.rows"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_writing()
    assert list(tmp_path.iterdir()) == []


def test_nothing_counted_is_no_entry() -> None:
    with EventCounter() as counter:
        assert len(counter.finish("log", "interactions", Counter())) == 0


def test_numbers_of_ids_stay_while_the_table_grows() -> None:
    table = IdTable()
    names = [f"id-{number}" for number in range(3 * MERGE_FROM)]
    rng = np.random.default_rng(0)
    given: dict[str, int] = {}
    for start in range(0, len(names), MERGE_FROM // 3):
        piece = [*names[start : start + MERGE_FROM // 3], *{names[place] for place in rng.integers(0, start + 1, 50)}]
        piece = list(dict.fromkeys(piece))
        for name, number in zip(piece, table.numbers(pa.array(piece, pa.large_string())).tolist(), strict=True):
            assert given.setdefault(name, number) == number
    assert sorted(given.values()) == list(range(len(names)))
    ids, ranks = table.ranked()
    assert ids == sorted(names)
    assert all(ids[ranks[number]] == name for name, number in list(given.items())[::997])

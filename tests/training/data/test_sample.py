"""A sample has exactly the size that was asked for, and is the same however the data is cut."""

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.config import TrainingConfig
from training.data import extract as extract_module
from training.data.config import SampleConfig
from training.data.dataset import Dataset
from training.data.extract import extract
from training.data.pipe_channel import PipeChannel
from training.data.sample import Limit, hash_ids, kept, smallest, smallest_of

Extract = Callable[..., Dataset]


def log_of(n_users: int = 20, n_items: int = 12) -> list[str]:
    rng = random.Random(5)
    return [f"u{rng.randrange(n_users)},i{rng.randrange(n_items)},{rng.randrange(1000)}" for _ in range(300)]


def files(rows: list[str], n_files: int = 1) -> dict[str, str]:
    return {f"interactions/{part}.csv": "user,item,time\n" + "\n".join(rows[part::n_files]) + "\n" for part in range(n_files)}


def triples(dataset: Dataset) -> set[tuple[str, str, float]]:
    events = dataset.interactions
    return {
        (dataset.user_ids[u], dataset.item_ids[i], float(w)) for u, i, w in zip(events.users, events.items, events.weights, strict=True)
    }


@settings(max_examples=100, deadline=None)
@given(hashes=st.lists(st.integers(0, 20), max_size=40), n=st.integers(1, 45))
def test_exactly_n_are_kept_ties_counted(hashes: list[int], n: int) -> None:
    values = np.array(hashes, dtype=np.uint64)
    limit = smallest(values, n)
    keeps = kept(values, limit)
    if n >= len(hashes):
        assert keeps.all()
    else:
        assert (values < limit.below).sum() + limit.ties == n
        assert limit.ties <= (values == limit.below).sum()
        assert keeps.sum() >= n


@settings(max_examples=100, deadline=None)
@given(parts=st.lists(st.lists(st.integers(0, 20), max_size=9), max_size=6), n=st.integers(1, 45))
def test_the_limit_of_parts_is_that_of_the_whole(parts: list[list[int]], n: int) -> None:
    arrays = [np.array(part, dtype=np.uint64) for part in parts]
    assert smallest_of([None, *arrays], n) == smallest(np.concatenate([np.empty(0, dtype=np.uint64), *arrays]), n)


def test_a_hash_is_the_same_on_every_machine_and_differs_by_seed() -> None:
    first = hash_ids(["a", "é", "𝄞"], 1)
    assert first.tolist() == hash_ids(["a", "é", "𝄞"], 1).tolist() == [int(h) for h in first]
    assert not (first == hash_ids(["a", "é", "𝄞"], 2)).any()
    assert smallest(first, 5) == Limit()


@pytest.mark.parametrize("n", [1, 37, 150, 299, 300, 1000])
def test_a_sample_of_events_has_exactly_so_many_and_the_cut_does_not_matter(
    extract_files: Extract, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    rows = log_of()
    one = extract_files(files(rows), sample_events=n, weighting="count")
    assert one.interactions.weights.sum() == min(n, 300)
    assert one.counts.get("interactions.dropped_not_sampled", 0) == max(0, 300 - n)
    monkeypatch.setattr(extract_module, "MEGABYTE", 200 / 64)
    shuffled = random.Random(1).sample(rows, len(rows))
    many = extract_files(files(shuffled, 4), sample_events=n, weighting="count")
    assert triples(one) == triples(many)


@pytest.mark.parametrize("what", ["listeners", "songs"])
def test_a_sample_of_listeners_or_songs_keeps_all_their_events(extract_files: Extract, what: str) -> None:
    everything = extract_files(files(log_of()))
    some = extract_files(files(log_of()), **{f"sample_{what}": 5})
    place = 0 if what == "listeners" else 1
    ids = {triple[place] for triple in triples(some)}
    assert len(ids) == 5
    assert triples(some) == {triple for triple in triples(everything) if triple[place] in ids}
    assert {triple[place] for triple in triples(extract_files(files(log_of()), **{f"sample_{what}": 5}, seed=7))} != ids


def test_a_sample_of_songs_is_of_the_catalogue_where_there_is_one(extract_files: Extract) -> None:
    catalogue = {"items/a.csv": "item,title\n" + "".join(f"i{n},T{n}\n" for n in range(20))}
    dataset = extract_files({**files(log_of()), **catalogue}, sample_songs=6)
    assert dataset.n_items == 6
    assert dataset.catalogue is not None
    assert dataset.catalogue.known.all()
    assert [step.name for step in dataset.steps].count("sample songs") == 1


def test_a_pipe_is_sampled_like_a_file_by_an_epoch_for_each_pass(tmp_path: Path) -> None:
    rows = "user,item,time\n" + "\n".join(log_of()) + "\n"
    (tmp_path / "log.csv").write_text(rows, encoding="utf-8")
    config = TrainingConfig(sample=SampleConfig(events=30, listeners=9))
    epochs = [tmp_path / f"interactions_{number}" for number in range(3)]  # to choose listeners, to choose events, to read

    def feed() -> None:
        for pipe in epochs:
            os.mkfifo(pipe)
            pipe.write_text(rows, encoding="utf-8")

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    from_pipe = extract({"interactions": PipeChannel("interactions", epochs[0])}, config)
    feeder.join(timeout=10)
    assert triples(from_pipe) == triples(extract({"interactions": tmp_path / "log.csv"}, config))
    assert [file.rows for file in from_pipe.files] == [300]


@pytest.mark.parametrize("what", ["events", "listeners"])
def test_a_sample_is_exact_also_where_events_of_unknown_songs_are_dropped(extract_files: Extract, what: str) -> None:
    catalogue = {"items/a.csv": "item\n" + "".join(f"i{n}\n" for n in range(4))}
    dataset = extract_files({**files(log_of()), **catalogue}, **{f"sample_{what}": 12}, quality_orphan_event="drop", weighting="count")
    kept_events, kept_listeners = dataset.interactions.weights.sum(), len(set(dataset.interactions.users.tolist()))
    assert (kept_events if what == "events" else kept_listeners) == 12

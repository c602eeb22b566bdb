"""What is written for other programs is what was split and measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from training.config import SplitConfig
from training.evaluation.cases import Case, split_cases
from training.evaluation.context import Context
from training.evaluation.details import read_details, write_details, write_split
from training.evaluation.evaluate import Evaluation
from training.evaluation.split_file import SplitFile
from training.split import Split, split_interactions

N_USERS, N_SONGS = 60, 30


def drawn(kind: str) -> tuple[Split, list[Case]]:
    played = csr_array(random_array((N_USERS, N_SONGS), density=0.4, rng=np.random.default_rng(0), format="csr"), dtype=np.float32)
    split = split_interactions(played, None, SplitConfig(kind=kind), 1, hold_out_test=True)
    songs, users = (np.array([str(n) for n in range(size)], dtype=object) for size in (N_SONGS, N_USERS))
    return split, split_cases(split, songs, users)["holdout"]


@pytest.mark.parametrize("kind", ["listener", "random"])
def test_a_split_is_read_back_as_it_was(kind: str, tmp_path: Path) -> None:
    split, cases = drawn(kind)
    artists = csr_array(np.eye(N_SONGS, 4))
    write_split(split, cases, Context(np.ones(N_SONGS, dtype=np.int64), 1, artists=artists, genres=artists), tmp_path / "split.npz")
    read = SplitFile.read(tmp_path / "split.npz")
    assert (read.learn != split.learn).nnz == (read.relearn != split.relearn).nnz == 0
    assert read.features.shape == (N_SONGS, 8)
    for asked, wanted, learned in ((read.validation, split.validation, split.learn), (read.test, split.test, split.relearn)):
        assert asked.users.tolist() == [case.user if case.known else -1 for case in wanted]
        for row, case in enumerate(wanted):
            assert asked.hidden[[row]].indices.tolist() == case.hidden.tolist()
            assert asked.shown[[row]].indices.tolist() == case.shown.tolist()
            known = learned.data[learned.indptr[case.user] : learned.indptr[case.user + 1]]
            assert asked.shown[[row]].data.tolist() == (known.tolist() if case.known else [1] * len(case.shown))


def test_the_figures_of_each_listener_are_read_back(evaluation: Evaluation, tmp_path: Path) -> None:
    write_details([evaluation], tmp_path / "details.npz")
    read = read_details(tmp_path / "details.npz")["holdout"]
    assert set(read) == {"hybrid", "popularity", "als"}
    assert read["hybrid"]["recommended"].tolist() == [[1, 2, 3, 4]] * 6
    assert read["popularity"]["recall_at_4"].tolist() == [0.5] * 6

"""The split and the figures of each listener, as plain arrays: for other programs to be judged on the same split, and for paired tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from training.evaluation.cases import Case
from training.evaluation.context import Context
from training.evaluation.evaluate import Evaluation
from training.evaluation.split_file import Asked, SplitFile
from training.split import Split

DETAILS_NPZ = "evaluation_details.npz"


def write_split(split: Split, cases: Sequence[Case], context: Context, path: Path) -> None:
    """Writes ``split.npz``. ``cases``: those of the test, of the hold-out or of a test channel."""
    n_items = split.learn.shape[1]
    known = [case.user if case.known else -1 for case in split.validation]
    validation = Asked(
        np.array(known, dtype=np.int64),
        _rows(split.learn, known, [case.shown for case in split.validation]),
        _ones([case.hidden for case in split.validation], n_items),
    )
    users = [case.user for case in cases]
    shown = _rows(split.relearn, users, [case.history for case in cases])
    test = Asked(np.array(users, dtype=np.int64), shown, _ones([case.relevant for case in cases], n_items))
    names = [matrix for matrix in (context.artists, context.genres) if matrix is not None]
    features = csr_array(hstack(names, format="csr")) if names else csr_array((n_items, 0))
    SplitFile(split.learn, split.relearn, validation, test, features).write(path)


def write_details(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Writes ``evaluation_details.npz``: ``SOURCE.MODEL.recommended`` (int32 listeners × longest k, padded with -1), and the values of each
    measure per listener, ``SOURCE.MODEL.recall_at_20`` (float64)."""
    arrays: dict[str, Any] = {
        f"{evaluation.source}.{model}.{name}": values
        for evaluation in evaluations
        for model, report in evaluation.models.items()
        for name, values in {"recommended": report.recommended, **report.per_listener}.items()
    }
    np.savez(path, **arrays)


def read_details(path: Path) -> dict[str, dict[str, dict[str, NDArray[Any]]]]:
    """Returns the arrays of ``evaluation_details.npz`` by source, model and name."""
    found: dict[str, dict[str, dict[str, NDArray[Any]]]] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            source, model, name = key.split(".")
            found.setdefault(source, {}).setdefault(model, {})[name] = arrays[key]
    return found


def _ones(songs: Sequence[NDArray[np.int32]], n_items: int) -> csr_array:
    return csr_array((np.ones(sum(map(len, songs)), np.float32), _joined(songs), _starts(songs)), shape=(len(songs), n_items))


def _rows(learned: csr_array, users: Sequence[int], songs: Sequence[NDArray[np.int32]]) -> csr_array:
    """Returns the rows of known listeners as they are stored, and ones for the songs of the others."""
    matrix = _ones(songs, learned.shape[1])
    for row, user in enumerate(users):
        if user >= 0:
            span = slice(matrix.indptr[row], matrix.indptr[row + 1])
            matrix.data[span] = learned.data[learned.indptr[user] : learned.indptr[user + 1]]
    return matrix


def _joined(songs: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    return np.concatenate(songs) if songs else np.empty(0, dtype=np.int32)


def _starts(songs: Sequence[NDArray[np.int32]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([len(one) for one in songs], dtype=np.int64)])

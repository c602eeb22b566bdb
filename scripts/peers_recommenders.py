"""Tunes another program's recommender on the validation part of a split, and writes its lists for the test.

    python -m scripts.peers_recommenders --list
    python -m scripts.peers_recommenders --peer implicit_als --split split.npz --output lists.npy --k 20 --seconds 60

Runs where the peer's library is installed (``scripts/peers --setup``, ``peers_environments``). Settings are drawn at random, without
repetition, from the published grid; each is fitted on the first part of the split and judged by nDCG@k on its validation part, until the
time is over (at least one is tried; to import and to compile is not counted). The best is fitted again with validation's part back. The
last line of stdout is a JSON object; the figures of the lists are ours to judge.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from scripts.command_line import CommandError, run
from scripts.peers_models import PEERS
from scripts.peers_task import Scores, Settings, Task
from scripts.process_memory import own_peak_bytes
from training.evaluation import metrics
from training.evaluation.split_file import Asked, SplitFile

_ROWS_AT_A_TIME = 256


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0. Raises ``CommandError`` where the peer does not exist, is not installed, or cannot do this data."""
    options = parse_arguments(arguments)
    if options.list:
        print("\n".join(f"{name:18}{peer.about}" for name, peer in PEERS.items()))
        return 0
    if options.peer not in PEERS:
        raise CommandError(f"--peer {options.peer}: one of {', '.join(PEERS)}")
    if options.split is None or options.output is None:
        raise CommandError("name --split and --output")
    split = SplitFile.read(options.split)
    try:
        warm_up(options.peer, options.seed)
        settings, found = tuned(options.peer, split, options.k, options.seconds, options.seed)
        begin = time.perf_counter()
        scores = PEERS[options.peer].fit(Task(split.relearn, split.test, split.features, options.seed), settings)
        fit_seconds = time.perf_counter() - begin
    except ModuleNotFoundError as error:
        raise CommandError(f"{options.peer}: {error}; run scripts/peers --setup") from None
    except ValueError as error:
        raise CommandError(f"{options.peer}: {error}") from None
    np.save(options.output, best_lists(scores, split.test, options.k), allow_pickle=False)
    figures = {"fit_seconds": fit_seconds, "cpu_seconds": time.process_time(), "peak_bytes": own_peak_bytes()}
    print(json.dumps({"settings": settings, **found, **figures}))
    return 0


def warm_up(name: str, seed: int) -> None:
    """Fits the peer on a few invented listeners: what it imports and compiles is not taken from the time that it is tuned in."""
    plays = csr_array((np.random.default_rng(seed).random((60, 40)) < 0.3).astype(np.float32))
    asked = Asked(np.array([0, 1, -1]), plays[:3], plays[:3])
    PEERS[name].fit(Task(plays, asked, csr_array((40, 0), dtype=np.float32), seed), middle(name))(slice(0, 3))


def middle(name: str) -> dict[str, Any]:
    """Returns the middle of each grid."""
    return {option: values[len(values) // 2] for option, values in PEERS[name].grid.items()}


def tuned(name: str, split: SplitFile, k: int, seconds: float, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the best settings that were found within ``seconds``, and how: ``tried`` and ``validation_ndcg``.

    Without a validation part it is the middle of each grid, and nothing is tried.
    """
    grid = PEERS[name].grid
    if not len(split.validation.users):
        return middle(name), {"tried": 0, "validation_ndcg": None}
    every = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    order = np.random.default_rng(seed).permutation(len(every)).tolist()
    deadline = time.perf_counter() + seconds
    best: tuple[float, dict[str, Any]] = (-1.0, every[order[0]])
    tried = 0
    for place in order:
        if tried and time.perf_counter() >= deadline:
            break
        tried += 1
        best = max(best, (validation_ndcg(name, split, every[place], k, seed), every[place]), key=lambda pair: pair[0])
    return best[1], {"tried": tried, "validation_ndcg": best[0]}


def validation_ndcg(name: str, split: SplitFile, settings: Settings, k: int, seed: int) -> float:
    """Returns the mean nDCG@k on the validation part of what is fitted on the first part."""
    asked = split.validation
    lists = best_lists(PEERS[name].fit(Task(split.learn, asked, split.features, seed), settings), asked, k)
    relevant = np.split(asked.hidden.indices, asked.hidden.indptr[1:-1])
    hits = metrics.find_hits(lists, relevant)
    return float(metrics.ndcg(hits, np.diff(asked.hidden.indptr), k).mean())


def best_lists(scores: Scores, asked: Asked, k: int) -> NDArray[np.int32]:
    """Returns int32 (listeners, k): the songs of the highest scores that are not shown, best first, padded with -1."""
    n, n_items = asked.shown.shape
    lists = np.full((n, k), -1, dtype=np.int32)
    for start in range(0, n, _ROWS_AT_A_TIME):
        rows = slice(start, min(start + _ROWS_AT_A_TIME, n))
        values = scores(rows)
        shown = asked.shown[rows]
        values[np.repeat(np.arange(values.shape[0]), np.diff(shown.indptr)), shown.indices] = -np.inf
        width = min(k, n_items)
        best = np.argpartition(-values, width - 1, axis=1)[:, :width]
        order = np.argsort(-np.take_along_axis(values, best, axis=1), axis=1, kind="stable")
        best = np.take_along_axis(best, order, axis=1)
        lists[rows, :width] = np.where(np.isfinite(np.take_along_axis(values, best, axis=1)), best, -1)
    return lists


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="says which peers there are")
    parser.add_argument("--peer", default="", metavar="NAME", help="which one")
    parser.add_argument("--split", type=Path, metavar="FILE", help="split.npz of a training with evaluation_details=true")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the lists go (.npy, int32)")
    parser.add_argument("--k", type=int, default=20, help="length of the lists (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="to tune in (%(default)s)")
    parser.add_argument("--seed", type=int, default=42, help="of all that is drawn (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(run(main))

"""How many listeners are ranked in a CPU second: all listeners of a model, their own songs left out, one after the other and together.

    scripts/benchmark_ranking trained                       # a folder of scripts/train, or a model folder
    scripts/benchmark_ranking trained --longest 100         # the hybrid's operator cut to so many entries a song first
    scripts/benchmark_ranking trained --model ease --n 10   # one of its models alone

prints listeners per CPU second (the best of some rounds, one thread): each asked alone by id, as evaluation and the server ask; all asked
together by id; from histories to lists, without ids; scipy's plain product of the same matrices, which finds no best songs and leaves
nothing out; and, where ``scripts/peers --setup`` was run, implicit's ``recommend`` for all listeners at once, with item-kNN of as many
neighbours as our longest row has and with ALS of 128 factors. Ends with an error if one of a thousand lists is another one together.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array

from inference.artifact import load
from inference.errors import ArtifactError
from inference.histories import Terms
from inference.known import Known
from inference.recommender import HYBRID, Recommender
from inference.request import MAX_RECOMMENDATIONS, Request
from inference.scorers import HybridScorer, ItemToItemScorer, Scorer
from inference.sparse import SparseRows
from inference.sparse_ranker import SparseRanker
from scripts.answer_table import table
from scripts.command_line import CommandError, run
from scripts.fresh_process import ROOT, measured
from scripts.machine import described, machine
from training.trainers.compiled import compiled

Found = TypeVar("Found")
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
SAMPLE = 1_000  # listeners who are asked alone, and whose lists are compared


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0. Raises ``CommandError`` for a model that can't be used."""
    options = parse_arguments(arguments)
    model = chosen_model(options.folder, options.model, options.longest)
    found, left_alone = measure(model, options.n, options.rounds)
    if PEERS_PYTHON.exists() and not options.without_peers:
        found |= peers(model, options.n, options.rounds)
    scorer = model.scorer
    addends = [part for _, part in scorer.addends] if isinstance(scorer, HybridScorer) else [scorer]
    operators = ", ".join(f"{part.KIND}{_entries(part)}" for part in addends)
    print(described(machine()))
    print(f"{len(model.users)} listeners, {len(model.items)} songs, {len(model.user_items.values) / len(model.users):.1f} songs a history")
    print(f"{model.model}: {operators}")
    print(f"{left_alone:.1%} of the listeners have lists that popularity fills, and are asked alone also where all are asked together")
    print("\n".join(table([["", "µs a listener", "listeners a CPU second"], *([name, *_figures(found[name])] for name in found)])))
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line. Raises ``CommandError`` for numbers that mean nothing."""
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark_ranking", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a folder of scripts/train, or a model folder")
    parser.add_argument("--model", default=HYBRID, help="one of its models alone (the hybrid)")
    parser.add_argument("--longest", type=int, help="entries that a row of the hybrid's operator keeps (as they are)")
    parser.add_argument("--n", type=int, default=20, help="songs in a list (20)")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts (3)")
    parser.add_argument("--without-peers", action="store_true", help="leave implicit out")
    options = parser.parse_args(arguments)
    if not 1 <= options.n <= MAX_RECOMMENDATIONS or options.rounds < 1 or (options.longest is not None and options.longest < 1):
        raise CommandError(f"--n takes 1 to {MAX_RECOMMENDATIONS}, --rounds and --longest 1 or more")
    return options


def chosen_model(folder: Path, name: str, longest: int | None) -> Recommender:
    """Opens the model. Raises ``CommandError`` where there is none, or none of this name, or nothing to cut."""
    try:
        model = load(folder / "model" if (folder / "model" / "model.json").exists() else folder)
    except ArtifactError as error:
        raise CommandError(str(error)) from None
    if not len(model.users):
        raise CommandError(f"{folder} knows no listeners")
    if longest is not None:
        operator = compiled(model.scorers, model.hybrid.weights, longest)
        if operator is None:
            raise CommandError("--longest: the hybrid has fewer than two item-to-item models, so there is no operator to cut")
        model = replace(model, hybrid=HybridScorer(model.scorers, model.hybrid.weights, operator))
    try:
        return model.with_model(name)
    except KeyError:
        raise CommandError(f"--model {name}: one of {', '.join((HYBRID, *sorted(model.scorers)))}") from None


def measure(model: Recommender, n: int, rounds: int) -> tuple[dict[str, float], float]:
    """Returns the CPU seconds that one listener takes, by the way of asking, and the share of listeners who can't be asked together.

    Raises ``CommandError`` where a list of the sample is another one together than alone.
    """
    requests = [Request(user_id=model.users.id(user), num_recommendations=n) for user in range(len(model.users))]
    step = max(1, len(requests) // SAMPLE)
    alone, seconds = _timed(lambda: [model.rank(request) for request in requests[::step]], rounds)
    found = {"alone, by id": seconds / len(alone)}
    together, seconds = _timed(lambda: list(model.rank_each(requests)), rounds)
    found["together, by id"] = seconds / len(requests)
    if wrong := sum(one.tolist() != other.tolist() for one, other in zip(alone, together[::step], strict=True)):
        raise CommandError(f"{wrong} of {len(alone)} lists differ when they are made together")
    left_alone = 1.0
    ranker = SparseRanker.of(model.scorer, model.popularity)
    if ranker is not None and ranker.ranks_many and ranker.reads_songs_alone:
        histories = Known(model.items, model.users, model.user_items, model.weighting).stored(np.arange(len(model.users)))
        seen = Terms(histories.starts, histories.numbers, np.ones(len(histories.numbers)))
        lists, seconds = _timed(lambda: ranker.rank_each(histories, n, seen), rounds)
        found["together, from histories"] = seconds / len(requests)
        left_alone = float((lists.found < n).mean())
    if operators := _operators(model.scorer):
        matrix = sum((_matrix(operator) for operator in operators[1:]), start=_matrix(operators[0]))
        users = _matrix(model.user_items)
        _, seconds = _timed(lambda: users @ matrix, rounds)
        found["scipy: the product alone"] = seconds / len(requests)
    return found, left_alone


def peers(model: Recommender, n: int, rounds: int) -> dict[str, float]:
    """Returns the CPU seconds that one listener takes with implicit."""
    operators = _operators(model.scorer)
    neighbours = max((int(np.diff(operator.indptr).max(initial=1)) for operator in operators), default=100)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        path = Path(folder) / "user_items.npz"
        rows = model.user_items
        shape = np.array([len(model.users), len(model.items)])
        np.savez(path, indptr=rows.indptr, indices=rows.indices, values=rows.values, shape=shape)
        asked = ["--histories", str(path), "--n", str(n), "--neighbours", str(neighbours), "--rounds", str(rounds)]
        return dict(measured("scripts.peers_ranking", asked, PEERS_PYTHON).answer["seconds"])


def _timed(work: Callable[[], Found], rounds: int) -> tuple[Found, float]:
    best = float("inf")
    for _ in range(rounds):
        begin = time.process_time()
        found = work()
        best = min(best, time.process_time() - begin)
    return found, best


def _operators(scorer: Scorer | HybridScorer) -> list[SparseRows]:
    addends = [part for _, part in scorer.addends] if isinstance(scorer, HybridScorer) else [scorer]
    return [part.operator for part in addends if isinstance(part, ItemToItemScorer)]


def _matrix(rows: SparseRows) -> csr_array:
    return csr_array((rows.values, rows.indices, rows.indptr), shape=(len(rows), rows.n_columns))


def _entries(scorer: Scorer) -> str:
    if not isinstance(scorer, ItemToItemScorer):
        return ""
    lengths = np.diff(scorer.operator.indptr)
    return f" of {lengths.mean():.0f} entries a song, {lengths.max(initial=0)} at most"


def _figures(seconds: float) -> tuple[str, str]:
    return f"{1e6 * seconds:.1f}", f"{1 / seconds:,.0f}"


if __name__ == "__main__":
    sys.exit(run(main))

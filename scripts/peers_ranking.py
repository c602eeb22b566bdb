"""How fast implicit ranks all listeners at once, for scripts/benchmark_ranking. Runs in ``.venv-peers``.

    python -m scripts.peers_ranking --histories user_items.npz --n 20 --neighbours 100 --rounds 3

The last line of stdout is a JSON object: CPU seconds a listener, by model. Only the speed is of interest: ALS is fitted in one iteration.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from scripts.command_line import run

FACTORS = 128


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0."""
    parser = argparse.ArgumentParser(prog="scripts.peers_ranking")
    parser.add_argument("--histories", type=Path, required=True)
    for name in ("--n", "--neighbours", "--rounds"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args(arguments)
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import CosineRecommender

    with np.load(options.histories, allow_pickle=False) as arrays:
        histories = csr_matrix((arrays["values"], arrays["indices"], arrays["indptr"]), shape=tuple(arrays["shape"].tolist()))
    models = {
        f"implicit: item-kNN of {options.neighbours}": CosineRecommender(K=options.neighbours, num_threads=1),
        f"implicit: ALS of {FACTORS}": AlternatingLeastSquares(FACTORS, iterations=1, num_threads=1, random_state=1),
    }
    seconds = {}
    users = np.arange(histories.shape[0])
    for name, model in models.items():
        model.fit(histories, show_progress=False)
        counts = []
        for _ in range(options.rounds):
            begin = time.process_time()
            model.recommend(users, histories, N=options.n, filter_already_liked_items=True)
            counts.append(time.process_time() - begin)
        seconds[name] = min(counts) / len(users)
    print(json.dumps({"seconds": seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(run(main))

"""The work that the benchmarks of the data side time, done once, from files to features or to the training matrix.

    python -m scripts.timed_reading items /tmp/songs.csv [auto|pandas|dask]
    python -m scripts.timed_reading interactions /tmp/events [auto|pandas|dask]

prints one line of JSON: seconds of each stage (what is imported before them is not in), counts, and the peak of memory. Lyrics are
not read. Who reads (``data_engine``) is chosen as a training job does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from container.cluster import Cluster
from container.cpus import limit_threads, usable_cpus
from container.train_cluster import engine_for
from scripts.fresh_process import PEAK
from scripts.process_memory import own_peak_bytes
from training.config import TrainingConfig


def main() -> int:
    """Does what the command line says and prints the answer."""
    channel, path, engine_name = sys.argv[1], Path(sys.argv[2]), (*sys.argv[3:], "auto")[0]
    limit_threads(0)
    print(json.dumps(timed(channel, path, engine_name) | {PEAK: own_peak_bytes()}))
    return 0


def timed(channel: str, path: Path, engine_name: str) -> dict[str, Any]:
    """Reads one channel and makes of it what training needs first: of songs their features, of events the matrix."""
    from training.data.extract import extract  # imports numpy: only now that the number of threads is set
    from training.features import fit_transform

    config = TrainingConfig.from_hyperparameters({"features_lyrics": "false", "data_engine": engine_name})
    cluster = Cluster("localhost", ("localhost",))
    begin = time.perf_counter()
    with engine_for(cluster, {channel: path}, (), config.data, usable_cpus()) as engine:
        dataset = extract({channel: path}, config, engine)
        extracted = time.perf_counter()
        facts = {"engine": engine.name, "rows": dataset.counts[f"{channel}.rows_read"], "songs": dataset.n_items}
        if dataset.catalogue is not None:
            transform, _ = fit_transform(dataset.catalogue, config.features, dataset.catalogue.known, config.seed)
            facts |= {"features": len(transform.columns)}
        else:
            matrix = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
            facts |= {"listeners": dataset.n_users, "pairs": int(matrix.nnz)}
        ended = time.perf_counter()
    return {"seconds": ended - begin, "extract_seconds": extracted - begin, "then_seconds": ended - extracted, **facts}


if __name__ == "__main__":
    sys.exit(main())

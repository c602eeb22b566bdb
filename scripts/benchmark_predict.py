"""What one request costs inside ``predict_fn``, by the size of the catalogue: CPU time, without decoding, encoding and the server.

    scripts/benchmark_predict                                     # 10,000, 100,000 and 1,000,000 songs
    scripts/benchmark_predict --songs 100000 --history 200 --requests 2000
    RECOMMENDER_NATIVE=0 scripts/benchmark_predict                # without the compiled kernels

makes a model for each size, without training: an operator with so many entries a song, most of them within the song's own style, popularity
with a long tail, a catalogue with genres and years. It is saved and opened as a server opens it. Then it asks, for 10 recommendations each:
``events`` (a new listener's history), ``known`` (a listener by id, with as long a history), ``filter`` (events, and a genre and a least
year), ``reasons`` (events), ``both``, and ``dense``: ``events`` by the way that scores and looks at every song, which models with matrix
factors and requests with re-ranking take. Prints the median and the 90th percentile in microseconds, of one thread.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import inference
from inference.artifact import load, save
from inference.features.columns import CategoryColumn, NumberColumn
from inference.features.store import FeatureStore
from inference.history import EventWeighting
from inference.native.library import library
from inference.recommender import Recommender
from inference.scorers import HybridScorer, ItemToItemScorer, PopularityScorer
from inference.sparse import SparseRows
from inference.texts import Texts
from inference.vocabulary import Vocabulary
from scripts.answer_table import table
from scripts.command_line import run
from scripts.fresh_process import measured
from scripts.machine import described, machine

SIZES = (10_000, 100_000, 1_000_000)
STYLE = 2_000  # songs that are alike
LISTENERS = 2_000
WARM_UP = 50
ASKED = 10
KINDS = ("events", "known", "filter", "reasons", "both")
GENRES = tuple(sorted(f"genre {number}" for number in range(40)))
POPULARITY_WEIGHT = 0.01


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0."""
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark_predict", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--songs", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--entries", type=int, default=100, help="of the operator, for each song (%(default)s)")
    parser.add_argument("--history", type=int, default=50, help="songs in a history (%(default)s)")
    parser.add_argument("--requests", type=int, default=500, help="of each kind (%(default)s)")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(of_size(options.songs[0], options.entries, options.history, options.requests)))
        return 0
    print(f"{described(machine())}, {'numpy alone' if library() is None else 'compiled kernels'}")
    rows = []
    for songs in options.songs:
        same = ["--entries", str(options.entries), "--history", str(options.history), "--requests", str(options.requests)]
        found = measured("scripts.benchmark_predict", ["--one", "--songs", str(songs), *same]).answer
        rows += [[f"{songs:,}", kind, f"{one['median']:.0f}", f"{one['p90']:.0f}"] for kind, one in found.items()]
    print("\n".join(table([["songs", "request", "median µs", "p90 µs"], *rows])))
    return 0


def of_size(songs: int, entries: int, history: int, requests: int) -> dict[str, dict[str, float]]:
    """Returns microseconds by kind of request. Raises ``AssertionError`` where the two ways differ."""
    with tempfile.TemporaryDirectory() as folder:
        save(made(songs, entries, history), Path(folder), {})
        model = load(Path(folder))
        rng = np.random.default_rng(1)
        found = {kind: timed(model, list(bodies(kind, songs, history, requests + WARM_UP, rng))) for kind in KINDS}
        model.__dict__["_sparse"] = None  # where the recommender keeps the way that it has chosen
        found["dense"] = timed(model, list(bodies("events", songs, history, requests // 5 + WARM_UP, rng)))
    return found


def bodies(kind: str, songs: int, history: int, count: int, rng: np.random.Generator) -> Iterator[bytes]:
    """Yields bodies of requests."""
    for _ in range(count):
        request: dict[str, Any] = {"num_recommendations": ASKED}
        if kind == "known":
            request["user_id"] = f"listener-{rng.integers(LISTENERS)}"
        else:
            request["events"] = [{"item_id": f"song-{number:07d}"} for number in taste(rng, songs, history)]
        if kind in ("filter", "both"):
            request["filter"] = {"genre": GENRES[: len(GENRES) // 2], "release_year": {"gte": 1990}}
        if kind in ("reasons", "both"):
            request["explain"] = True
        yield json.dumps(request).encode()


def timed(model: Recommender, sent: Sequence[bytes]) -> dict[str, float]:
    """Returns the median and the 90th percentile of the microseconds of CPU that ``predict_fn`` takes."""
    spent = []
    for body in sent:
        batch = inference.input_fn(body, "application/json")
        begin = time.process_time_ns()
        answers = inference.predict_fn(batch, model)
        spent.append((time.process_time_ns() - begin) / 1_000)
        assert len(answers.answers[0].recommendations) == ASKED  # type: ignore[union-attr]
    spent = spent[WARM_UP:]
    return {"median": statistics.median(spent), "p90": float(np.quantile(spent, 0.9))}


def made(songs: int, entries: int, history: int) -> Recommender:
    """Returns a model of so many songs, made up by a fixed seed."""
    rng = np.random.default_rng(0)
    popularity = (1.0 / (1.0 + rng.permutation(songs))).astype(np.float32)
    operator = neighbours(rng, songs, entries)
    scorers: Mapping[str, Any] = {"popularity": PopularityScorer(popularity), "ease": ItemToItemScorer(operator)}
    weights = {"ease": 1.0, "popularity": POPULARITY_WEIGHT}
    store = FeatureStore(
        {
            "genre": CategoryColumn(rng.integers(0, len(GENRES), songs).astype(np.int32), Texts.of(GENRES)),
            "release_year": NumberColumn(rng.integers(1960, 2026, songs).astype(np.float32)),
        },
        songs,
    )
    played = [np.sort(taste(rng, songs, history)) for _ in range(LISTENERS)]
    return Recommender(
        items=Vocabulary.of([f"song-{number:07d}" for number in range(songs)]),
        users=Vocabulary.of([f"listener-{number}" for number in range(LISTENERS)]),
        user_items=SparseRows(
            np.arange(LISTENERS + 1) * history, np.concatenate(played).astype(np.int32), np.ones(LISTENERS * history, np.float32), songs
        ),
        listeners=np.ones(songs, np.int32),
        scorers=scorers,
        hybrid=HybridScorer(scorers, weights, compiled=ItemToItemScorer(operator)),
        weighting=EventWeighting(),
        version="made-up",
        features=store,
    )


def neighbours(rng: np.random.Generator, songs: int, entries: int) -> SparseRows:
    """Nine in ten of the entries of a song lie within its style, the others anywhere."""
    near = rng.integers(0, min(STYLE, songs), (songs, entries)) + (np.arange(songs) // STYLE * STYLE)[:, None]
    far = rng.random((songs, entries)) < 0.1
    columns = np.where(far, rng.integers(0, songs, (songs, entries)), np.minimum(near, songs - 1)).astype(np.int32)
    columns.sort(axis=1)
    values = rng.random((songs, entries), dtype=np.float32)
    values[:, 1:][columns[:, 1:] == columns[:, :-1]] = 0.0
    kept = values > 0
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return SparseRows(indptr, columns[kept], values[kept], songs)


def taste(rng: np.random.Generator, songs: int, history: int) -> np.ndarray:
    """Returns distinct songs of a listener: of two styles, and some of any."""
    styles = rng.integers(0, max(songs // STYLE, 1), 2)
    near = rng.choice(styles, history) * STYLE + rng.integers(0, min(STYLE, songs), history)
    chosen = np.where(rng.random(history) < 0.2, rng.integers(0, songs, history), np.minimum(near, songs - 1))
    while len(distinct := np.unique(chosen)) < history:
        chosen = np.concatenate([distinct, rng.integers(0, songs, history - len(distinct))])
    return rng.permutation(distinct)


if __name__ == "__main__":
    sys.exit(run(main))

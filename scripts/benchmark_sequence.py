"""What order and words are worth: transitions, sessions and words alone, and added to EASE.

    scripts/benchmark_sequence --interactions playlists.parquet --users names.parquet -p data_user_column=playlist_id --hide random
    scripts/benchmark_sequence --interactions playlists.parquet -p data_user_column=playlist_id --hide last
    scripts/benchmark_sequence --interactions events.parquet --hide after

`--hide random` and `last`: a tenth of the listeners is held out whole; of each a fifth of the songs, any or the last ones, is to be
found. `--hide after`: what comes after four fifths of all events is hidden; those listeners who have songs on both sides are asked, the
models know their first part. All songs that are not shown are ranked.

Beside each model stands EASE with it, at the best of a few weights, which are found on these very listeners: so it says what is in it at
most. `--shown N` shows only N songs, taken at random. At most 1000 listeners are asked.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from container.cpus import usable_cpus
from inference.history import EventWeighting, History
from inference.scorers import Scorer
from inference.top_n import top_n
from scripts.answer_table import table
from scripts.command_line import CommandError, key_values, run
from training.config import TrainingConfig
from training.data.dataset import Dataset, Interactions
from training.data.extract import extract
from training.order import decayed, rows_of, with_order
from training.split import Case, Split, split_listeners
from training.trainers import TRAINERS
from training.trainers.base import TrainingData

BASE, ADDED = "ease", ("transitions", "sessions", "words", "popularity")
WEIGHTS = (0.05, 0.1, 0.2, 0.4, 0.8)
K, AFTER, MOST = 20, 0.8, 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains, asks, and prints a table. Raises ``CommandError`` where the data has no order, and the order is to be hidden by."""
    options = _parse(arguments)
    config = TrainingConfig.from_hyperparameters(key_values(options.parameters, "-p"))
    channels = {name: path for name in ("interactions", "users") if (path := getattr(options, name)) is not None}
    dataset = extract(channels, config)
    user_items = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    if options.hide != "random" and (dataset.interactions.timestamps if options.hide == "after" else dataset.interactions.order) is None:
        raise CommandError(
            f"--hide {options.hide} needs {'times' if options.hide == 'after' else 'times or positions'} in the interactions"
        )
    data, cases = (_after if options.hide == "after" else _whole)(dataset, user_items, config, options.hide == "last")
    cases = sorted(cases, key=lambda case: case.user * 2654435761 % 2**32)[:MOST]
    cases = [_fewer(case, options.shown) for case in cases] if options.shown is not None else cases
    models = [name for name in ADDED if (name != "words" or data.words is not None) and (name != "transitions" or data.times is not None)]
    rows, base = [], np.empty(0)
    for name in (BASE, *models):
        started = time.perf_counter()
        scorer = TRAINERS[name](data, config)
        trained = time.perf_counter()
        scores = _scores(scorer, cases, _weighting(config))
        asked = (time.perf_counter() - trained) / len(cases)
        base = scores if name == BASE else base
        both = [""] if name == BASE else _shown(*max(_quality(base + weight * scores, cases) for weight in WEIGHTS))
        alone = _shown(*_quality(scores, cases))
        rows.append([name, *alone, *both, f"{trained - started:.1f}", f"{1000 * asked:.2f}"][: len(HEADING)])
    print(f"{len(cases)} listeners, {dataset.n_items} songs")
    print("\n".join(table([HEADING, *rows])))
    return 0


HEADING = ["model", f"recall@{K} / nDCG@{K}", "with EASE", "train s", "ask ms"]


def _shown(recall: float, ndcg: float) -> list[str]:
    return [f"{recall:.4f} / {ndcg:.4f}"]


def _whole(dataset: Dataset, user_items: Any, config: TrainingConfig, last: bool) -> tuple[TrainingData, list[Case]]:
    """Listeners held out whole, as the training job holds them out."""
    split = with_order(split_listeners(user_items, config.split, config.seed, hold_out_test=True), dataset, user_items)
    learned = split.train.copy()
    learned[[case.user for case in split.validation]] = True
    cases = list(split.test)
    if last:
        everything = [_everything(case, user_items) for case in cases]
        whole = with_order(Split(split.train, (), tuple(everything)), dataset, user_items).test
        cases = [_last_hidden(case, len(before.shown)) for case, before in zip(whole, cases, strict=True)]
    rows = np.flatnonzero(learned)
    return _data(dataset, user_items[rows], rows_of(user_items, dataset.interactions.order, rows), rows, config), cases


def _everything(case: Case, user_items: Any) -> Case:
    songs = user_items.indices[user_items.indptr[case.user] : user_items.indptr[case.user + 1]].astype(np.int32)
    return replace(case, shown=songs, hidden=songs[:0])


def _last_hidden(case: Case, n: int) -> Case:
    assert case.shown_times is not None
    order = np.argsort(case.shown_times, kind="stable")
    shown, hidden = np.sort(order[:n]), np.sort(order[n:])
    return replace(case, shown=case.shown[shown], hidden=case.shown[hidden], shown_times=case.shown_times[shown])


def _after(dataset: Dataset, user_items: Any, config: TrainingConfig, last: bool) -> tuple[TrainingData, list[Case]]:
    """One moment for all: the models learn from what comes before it, and are asked what comes after."""
    times = dataset.interactions.timestamps
    assert times is not None
    early = times <= np.quantile(times, AFTER)
    events = dataset.interactions
    before = Interactions(events.users[early], events.items[early], events.weights[early], times[early])
    learned = before.user_items(dataset.n_users, dataset.n_items)
    cases = []
    for user in range(dataset.n_users):
        span = slice(user_items.indptr[user], user_items.indptr[user + 1])
        songs, known, when = user_items.indices[span].astype(np.int32), early[span], times[span]
        if known.any() and not known.all():
            cases.append(Case(user, songs[known], songs[~known], when[known]))
    rows = np.arange(dataset.n_users)
    return _data(dataset, learned, times[early], rows, config), cases


def _data(dataset: Dataset, learned: Any, times: np.ndarray | None, rows: np.ndarray, config: TrainingConfig) -> TrainingData:
    said = None if dataset.listener_words is None else dataset.listener_words.rows[rows]
    in_seconds = dataset.interactions.timestamps is not None
    learned = decayed(learned, times if in_seconds else None, _weighting(config))
    return TrainingData(learned, None, config.seed, usable_cpus(), None, rows, times, in_seconds, said)


def _fewer(case: Case, n: int) -> Case:
    kept = np.sort(np.random.default_rng(case.user).permutation(len(case.shown))[:n])
    return replace(case, shown=case.shown[kept], shown_times=None if case.shown_times is None else case.shown_times[kept])


def _weighting(config: TrainingConfig) -> EventWeighting:
    return EventWeighting(half_life_days=config.data.half_life_days)


def _scores(scorer: Scorer, cases: Sequence[Case], weighting: EventWeighting) -> np.ndarray:
    """Float32 (cases, songs), divided by the usual size of the best of them, what is shown at minus infinity."""
    out = np.stack([scorer.scores(_history(case, weighting)).astype(np.float32) for case in cases])
    out /= max(float(-np.partition(-out, K, axis=1)[:, :K].mean()), 1e-9)
    for row, case in zip(out, cases, strict=True):
        row[case.shown] = -np.inf
    return out


def _history(case: Case, weighting: EventWeighting) -> History:
    history = replace(case.history(), user=case.user)
    if case.shown_times is None or not len(history):
        return history
    return replace(history, weights=history.weights * weighting.decay(case.shown_times, float(case.shown_times.max())))


def _quality(scores: np.ndarray, cases: Sequence[Case]) -> tuple[float, float]:
    """Mean recall and nDCG at ``K``."""
    discounts = 1.0 / np.log2(np.arange(2, K + 2))
    recall, ndcg = [], []
    for row, case in zip(scores, cases, strict=True):
        hits = np.isin(top_n(row, K), case.hidden)
        recall.append(hits.sum() / len(case.hidden))
        ndcg.append((hits * discounts[: len(hits)]).sum() / discounts[: len(case.hidden)].sum())
    return float(np.mean(recall)), float(np.mean(ndcg))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark_sequence", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--interactions", type=Path, required=True, metavar="PLACE", help="events with times, or playlists with positions")
    parser.add_argument("--users", type=Path, metavar="PLACE", help="what the listeners or playlists are called")
    parser.add_argument("--hide", choices=("random", "last", "after"), default="random", help="what is to be found")
    parser.add_argument("--shown", type=int, metavar="N", help="show only so many songs")
    parser.add_argument("-p", dest="parameters", action="append", default=[], metavar="key=value", help="a hyperparameter; may be repeated")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(run(main))

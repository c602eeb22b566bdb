"""Says under which definitions "85 % precision@10" is true of a trained model, and how much of each figure is chance.

    scripts/train --interactions events.csv --items songs.csv --output trained -p evaluation_details=true
    scripts/precision_claim trained
    scripts/precision_claim trained --seeds 2000 --json claim.json

A precision needs a definition of "right". With the strict one (a song that a held-out listener really has, all songs ranked) no recommender
of music comes near 85 %, and the ceiling alone may be below. With a loose one (a genre in common with the seed song) it is easy, and partly
a circle: the content model is told to match artists and genres. The column "random" says what random songs would get. Intervals are over
the seed songs or the listeners. Without events, or without split.npz, only the figures that need no listeners are there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference import artifact
from inference.errors import ArtifactError
from inference.features.columns import CategoryColumn
from inference.recommender import Recommender
from inference.request import Request
from scripts.answer_table import table
from scripts.command_line import CommandError, run
from scripts.leaderboard_judge import Judge
from training.evaluation import metrics
from training.evaluation.bootstrap import Estimate, estimate
from training.evaluation.cases import ask
from training.evaluation.context import ARTISTS, GENRES, name_shares
from training.evaluation.sampled import sampled_places
from training.evaluation.split_file import SPLIT_NPZ

CLAIM = 0.85
LENGTH = 10
CLUSTER = "genre_cluster"
_SAMPLES = 1000
Agree = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]  # pairs of song numbers -> whether they go together


@dataclass(frozen=True)
class Figure:
    """``protocol``: what counts as right. ``value``: of the model; ``chance``: of random songs (0 to 1); ``ceiling``: of a perfect list."""

    protocol: str
    model: str
    value: Estimate
    chance: float
    ceiling: float = 1.0

    @property
    def verdict(self) -> str:
        """Whether the claim holds: yes, within the interval (``about``), or no."""
        if self.value.low >= CLAIM:
            return "yes"
        return "about" if self.value.high >= CLAIM else "no"

    def to_json(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "model": self.model,
            **self.value.to_json(),
            "random": round(self.chance, 6),
            "ceiling": round(self.ceiling, 6),
            "claim_holds": self.verdict,
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0. Raises ``CommandError`` where there is no model, or it has no catalogue and no listeners to ask about."""
    options = parse_arguments(arguments)
    model, output = options.trained / "model", options.trained / "output"
    try:
        recommender = artifact.load(model)
    except ArtifactError as error:
        raise CommandError(str(error)) from None
    figures = similar_songs(recommender, options.seeds, options.seed)
    if (output / SPLIT_NPZ).exists():
        figures += held_out(Judge.of(model, output), options.seed)
    if not figures:
        raise CommandError("train with a catalogue that has genres, or with -p evaluation_details=true: there is nothing to measure")
    print("\n".join(table(rows(figures))))
    if options.json:
        document = {"claim": CLAIM, "k": LENGTH, "figures": [figure.to_json() for figure in figures]}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0


def rows(figures: Sequence[Figure]) -> list[list[str]]:
    """Returns the table: heading, then a row for each figure."""
    heading = ["what counts as right", "model", "share", "95 % interval", "random", "ceiling", f"{CLAIM:.0%}?"]
    body = [
        [
            one.protocol,
            one.model,
            f"{one.value.mean:.3f}",
            f"{one.value.low:.3f} to {one.value.high:.3f}",
            f"{one.chance:.3f}",
            f"{one.ceiling:.3f}",
            one.verdict,
        ]
        for one in figures
    ]
    return [heading, *body]


def similar_songs(recommender: Recommender, n_seeds: int, seed: int) -> list[Figure]:
    """Returns how far the ten most similar songs of a song agree with it in genre, artist or genre, and genre cluster.

    Seeds are drawn from the songs that have a genre. A recommended song without a genre counts as wrong.
    """
    store = recommender.features
    genres = None if store is None else name_shares(store, GENRES)
    if store is None or genres is None:
        return []
    rng = np.random.default_rng(seed)
    known = np.flatnonzero(np.diff(genres.indptr))
    seeds = np.sort(rng.permutation(known)[:n_seeds])
    artists, cluster = name_shares(store, ARTISTS), store.get(CLUSTER)

    def same_genre(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray((genres[first] * genres[second]).sum(axis=1) > 0)

    agreements: dict[str, Agree] = {"a genre of the seed": same_genre}
    if artists is not None:
        agreements["an artist or a genre of the seed"] = lambda a, b: (
            same_genre(a, b) | np.asarray((artists[a] * artists[b]).sum(axis=1) > 0)
        )
    if isinstance(cluster, CategoryColumn):
        codes = np.asarray(cluster.codes)
        agreements["the genre cluster of the seed"] = lambda a, b: (codes[a] == codes[b]) & (codes[a] >= 0)
    figures = []
    random = rng.integers(0, len(recommender.items), size=(len(seeds), LENGTH))
    for name in dict.fromkeys(["hybrid", *(["content"] if "content" in recommender.scorers else [])]):
        ranker = recommender.with_model(name)
        lists = np.full((len(seeds), LENGTH), -1, dtype=np.int64)
        for row, song in enumerate(seeds.tolist()):
            found = ranker.rank(Request(items=(recommender.items.id(song),), num_recommendations=LENGTH))
            lists[row, : len(found)] = found
        for protocol, agree in agreements.items():
            figures.append(
                Figure(
                    f"similar songs: {protocol}", name, _mean(_share(lists, seeds, agree), seed), float(_share(random, seeds, agree).mean())
                )
            )
    return figures


def held_out(judge: Judge, seed: int) -> list[Figure]:
    """Returns what the same model gets on its held-out listeners: all songs ranked, and each hidden song against a few random ones."""
    n_hidden = np.array([len(case.relevant) for case in judge.cases], dtype=np.int64)
    n_items = len(judge.context.item_listeners)
    lists = ask("hybrid", judge.recommender, judge.cases, LENGTH, quiet=True)
    hits = metrics.find_hits(lists, [case.relevant for case in judge.cases])
    # of songs drawn at random: each place is right with the share of the hidden songs in the catalogue
    share = n_hidden / n_items
    precision = metrics.precision(hits, n_hidden, LENGTH)
    figures = [
        Figure(
            "held-out songs, all songs ranked: precision@10",
            "hybrid",
            _mean(precision, seed),
            float(share.mean()),
            float((np.minimum(n_hidden, LENGTH) / LENGTH).mean()),
        ),
        Figure(
            "held-out songs, all songs ranked: one of ten is right",
            "hybrid",
            _mean(metrics.hit_rate(hits, n_hidden, LENGTH), seed),
            float((1 - (1 - share) ** LENGTH).mean()),
        ),
    ]
    figures += _history_genres(judge, lists, seed)
    ids = judge.context.item_ids
    assert ids is not None
    for negatives, k in ((9, 1), (9, 5), (99, 1), (99, 10)):
        places = sampled_places(judge.recommender, judge.cases, ids, negatives, seed)
        found = np.array([float(np.mean(one <= k)) for one in places])
        protocol = f"sampled: a hidden song in the first {k} among {negatives} random"
        figures.append(Figure(protocol, "hybrid", _mean(found, seed), k / (negatives + 1)))
    return figures


def _history_genres(judge: Judge, lists: NDArray[np.int32], seed: int) -> list[Figure]:
    """Returns how many recommended songs have any genre that the listener's history has."""
    genres = judge.context.genres
    if genres is None:
        return []
    rng = np.random.default_rng(seed)
    liked = [np.unique(genres[case.history].indices) for case in judge.cases]
    random = rng.integers(0, genres.shape[0], size=lists.shape)

    def share(songs: NDArray[Any]) -> NDArray[np.float64]:
        found = [np.isin(genres[one[one >= 0]].indices, own) for one, own in zip(songs, liked, strict=True)]
        owners = [np.repeat(np.arange(int((one >= 0).sum())), np.diff(genres[one[one >= 0]].indptr)) for one in songs]
        return np.array([len(np.unique(places[right])) / LENGTH for places, right in zip(owners, found, strict=True)])

    known = np.array([len(own) > 0 for own in liked])
    value = _mean(share(lists)[known], seed)
    return [Figure("held-out listeners: a genre of the history", "hybrid", value, float(share(random)[known].mean()))]


def _share(lists: NDArray[np.int64], seeds: NDArray[np.int64], agree: Agree) -> NDArray[np.float64]:
    """Returns (seeds,): the share of the ten places whose song goes together with the seed."""
    right = np.zeros(lists.shape, dtype=bool)
    places = lists >= 0
    right[places] = agree(np.broadcast_to(seeds[:, None], lists.shape)[places], lists[places])
    return np.asarray(right.mean(axis=1))


def _mean(values: NDArray[np.float64], seed: int) -> Estimate:
    return estimate(values[:, None], _SAMPLES, seed)[0]


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/precision_claim", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trained", type=Path, metavar="DIR", help="what scripts/train --output left")
    parser.add_argument("--seeds", type=int, default=1000, metavar="N", help="seed songs whose similar songs are looked at (%(default)s)")
    parser.add_argument("--seed", type=int, default=42, help="of all that is drawn (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes the figures as JSON, too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(run(main))

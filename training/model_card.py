"""The model card: what a person should know about a model before using it. Same model, same text: no dates, no machine names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.config import TrainingConfig
from training.evaluation.bootstrap import Estimate
from training.evaluation.evaluate import Evaluation

WHAT_MODELS_ARE = {
    "popularity": "how many listeners played a song",
    "item_knn": "songs that the same listeners play (cosine)",
    "pearson": "songs that the same listeners play (correlation)",
    "ease": "learned item-to-item weights (EASE, Steck 2019)",
    "als": "matrix factorization of implicit feedback (Hu, Koren, Volinsky 2008)",
    "transitions": "songs that come soon after one another (sequential rules, Ludewig & Jannach 2018)",
    "sessions": "listeners and playlists like the history, and what else they hold (V-SKNN, STAN)",
    "words": "songs that go with the words that playlists and listeners are called by",
    "artist": "songs of the same artist, the best-known first",
    "graph": "songs played by the same listeners, normalised by degrees",
    "cease": "which songs predict which, learned by regression, with artists and albums as listeners",
    "spectral": "songs alike along the main directions of taste",
    "similar_songs": "songs that the catalogue calls similar",
    "content": "songs alike in artist, genre, audio features and year",
}
_MEASURES = ("recall", "ndcg", "precision", "map", "mrr", "hit_rate", "diversity", "novelty")

# by the source of the numbers, or, of the hold-out, by split_kind
_HOW = {
    "block": "whose songs were hidden in part, of half of them songs that belong together",
    "listener": "held out whole: a part of their songs was shown, the rest was to be found",
    "random": "known to the models, a random part of whose songs was to be found",
    "time": "known to the models: what they played after one moment was to be found, by what everybody had played before",
    "last": "known to the models, whose last song was to be found",
    "song_among_themselves": "known to the models, songs of whom were held out everywhere, ranked among the held-out songs only",
    "song_among_all": "known to the models, songs of whom were held out everywhere",
    "test": "of the channel `test`, answered by their stored history",
}

_USE = """## Intended use

Recommending songs: to listeners with a stored history, to new listeners who name a few songs or send their latest events, as songs
similar to a song, and as the continuation of a playlist. Answers say which song of the history caused them, and name the fallback where
the model had nothing to go on.

## Limits

* The model learned from what people played, not from what they liked: it repeats the habits, and the popularity, that the data holds.
* A song that nobody in the data played is recommended by its content alone; without a catalogue row it is not recommended for its own sake.
* The numbers below are measured offline, on listeners of the same data. They rank models; they do not promise what an experiment with
  real listeners will show.
* The listeners held out for these numbers say nothing about groups that the data does not name. Check quality for the groups that matter
  to you.
* The artifact holds the histories of the known listeners (ids and songs). Treat it as you treat that data.
"""


def model_card(
    config: TrainingConfig, data: Mapping[str, int], weights: Mapping[str, float], evaluations: Sequence[Evaluation], reason: str = ""
) -> str:
    """Returns the card as Markdown.

    ``data`` has counts of what was learned from, in the order to be shown; ``weights`` the hybrid's weight of each model;
    ``reason`` says why there is no evaluation, if there is none.
    """
    parts = ["# Model card: music recommender", _models(weights), _data(data), _USE.strip(), "## Quality"]
    kind = "listener" if config.split.kind == "auto" else config.split.kind
    parts += [_quality(evaluation, kind) for evaluation in evaluations] or [f"Not measured: {reason}"]
    parts.append(_settings(config))
    return "\n\n".join(parts) + "\n"


def _models(weights: Mapping[str, float]) -> str:
    rows = [f"| {name} | {weight:.4g} | {WHAT_MODELS_ARE.get(name, '')} |" for name, weight in weights.items()]
    lines = [
        "## Models",
        "",
        "The score of a song is the sum of these, by weight:",
        "",
        "| model | weight | what it knows |",
        "|---|---|---|",
    ]
    return "\n".join(lines + rows)


def _data(data: Mapping[str, int]) -> str:
    rows = [f"| {name.replace('.', ': ').replace('_', ' ')} | {count:,} |" for name, count in data.items()]
    return "\n".join(["## Data", "", "| what | count |", "|---|---|", *rows])


def _quality(evaluation: Evaluation, kind: str) -> str:
    k = evaluation.ks[-1]
    how = _HOW[evaluation.source if evaluation.source != "holdout" else kind]
    ranked = "" if evaluation.source == "song_among_themselves" else " All songs are ranked."
    measures = [measure for measure in _MEASURES if any(f"{measure}_at_{k}" in report.metrics for report in evaluation.models.values())]
    heading = ["model", *(f"{measure}@{k}" for measure in measures), f"coverage@{k}"]
    lines = [
        f"{evaluation.n_listeners:,} listeners {how}.{ranked} In brackets: 95 % bootstrap interval over listeners.",
        "",
        "| " + " | ".join(heading) + " |",
        "|---" * len(heading) + "|",
    ]
    for name, report in evaluation.models.items():
        cells = [_cell(report.metrics.get(f"{measure}_at_{k}")) for measure in measures]
        lines.append("| " + " | ".join([name, *cells, f"{report.coverage[f'coverage_at_{k}']:.3f}"]) + " |")
    return "\n".join(lines)


def _cell(value: Estimate | None) -> str:
    return "" if value is None else f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"


def _settings(config: TrainingConfig) -> str:
    """Returns the settings that are not the default: the rest is the version's."""
    default = TrainingConfig().to_flat_dict()
    changed = {name: value for name, value in config.to_flat_dict().items() if value != default[name]}
    rows = [f"| `{name}` | `{value}` |" for name, value in changed.items()]
    table = ["| hyperparameter | value |", "|---|---|", *rows] if rows else ["All hyperparameters have their defaults."]
    return "\n".join(["## Settings", "", *table])

"""Measures what each option of the re-ranker costs in accuracy, and what it gives, on the listeners that training held out.

    scripts/tradeoffs trained --interactions events.csv --items songs.csv --output tradeoffs
    scripts/tradeoffs trained --interactions events.csv --items songs.csv --output tradeoffs --options diversity max_per_artist
    scripts/tradeoffs trained --interactions events.csv --items songs.csv --output tradeoffs --pareto 100

The channels are those that the model was trained on (its model.json knows: other data are refused); they are read again to find the
listeners who were held out, of whom --listeners are asked. Without --pareto each option is tried with several values, all others off.
With it, weights of all `objectives` are tried together, on a grid and at random. The column `pareto` says of which fronts each is: with *,
no other one is better in every aim; with diversity, none is better in accuracy and diversity both. --aims weighs fewer of them.
Written to --output: tradeoffs.txt, .csv and .json (with 95 % intervals over listeners, also of the change in nDCG), and a plot of each
trade-off.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from container.cpus import usable_cpus
from inference.artifact import load
from inference.errors import ArtifactError, RequestError
from inference.recommender import Recommender
from inference.rerank.defaults import Defaults
from inference.rerank.options import NOTHING, parse_options
from inference.rerank.weights import TERMS, Weights
from scripts.answer_table import table
from scripts.command_line import CommandError, run
from scripts.local_server import find_model
from scripts.tradeoff_measures import BETTER_WHEN_LOWER, Judge, Measured
from scripts.tradeoff_plots import Point, plot
from scripts.tradeoff_weights import non_dominated, simplex_points
from training.config import ConfigError, TrainingConfig
from training.data.engine import LocalEngine
from training.data.errors import UserDataError
from training.data.extract import extract
from training.evaluation.cases import TEST, Case, known_listener_cases, split_cases
from training.evaluation.context import Context
from training.progress import track
from training.publish import fingerprint
from training.split import split_interactions

CHANNELS = {
    "interactions": "who listened to what",
    "items": "the song catalogue",
    "users": "the listeners",
    "test": "events to evaluate on",
}
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
VALUES: Mapping[str, tuple[float, ...]] = {
    **{"diversity": SHARES, "calibration": SHARES, "novelty": (-0.3, *SHARES), "fairness": (0.05, *SHARES[:-2])},
    "max_per_artist": (5, 3, 2, 1),
}
AIM_OF = {
    **{"accuracy": "ndcg", "diversity": "diversity", "calibration": "calibration_error", "novelty": "novelty", "fairness": "small_artists"},
    "max_per_artist": "distinct_artists",
}
NEED_CATALOGUE = ("diversity", "calibration", "fairness", "max_per_artist")  # or what they give can't be measured


@dataclass(frozen=True)
class Setting:
    """Options as a request has them (``asked``, empty: none), the option that is tried, and how its value is written."""

    asked: Mapping[str, Any]
    option: str
    value: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0. Raises ``CommandError`` for a mistake on the command line, or data that the model was not trained on."""
    options = parse_arguments(arguments)
    try:
        model, judge, cases = prepare(options)
        settings = pareto_settings(model, options.aims, options.pareto) if options.pareto else single_settings(model, options.options)
        measured = [measure(model, judge, cases, setting, options.k) for setting in settings]
        options.output.mkdir(parents=True, exist_ok=True)
        on = fronts(settings, measured) if options.pareto else {}
        write(options.output, settings, measured, on, {"listeners": len(cases), "k": options.k, "model_version": model.version})
        draw(options.output, settings, measured, on, options.k)
    except (UserDataError, ConfigError, ArtifactError, RequestError) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{error.filename or options.output}: {error.strerror}") from None
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/tradeoffs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="TRAINED", help="a folder of scripts/train")
    for name, what in CHANNELS.items():
        parser.add_argument(f"--{name}", type=Path, metavar="PATH", help=what)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the table and the plots go")
    parser.add_argument("--options", nargs="+", choices=sorted(VALUES), default=list(VALUES), help="which to try (all)")
    parser.add_argument("--listeners", type=int, default=300, metavar="N", help="of those held out, how many are asked (300)")
    parser.add_argument("--k", type=int, default=20, help="length of the lists (20)")
    parser.add_argument("--pareto", type=int, metavar="N", help="try N weights of all objectives together")
    parser.add_argument("--aims", nargs="+", choices=TERMS[1:], default=list(TERMS[1:]), help="with --pareto: beside accuracy (all)")
    return parser.parse_args(arguments)


def prepare(options: argparse.Namespace) -> tuple[Recommender, Judge, list[Case]]:
    """Opens the model, reads the data again, and finds the listeners who were held out."""
    if not 1 <= options.k <= 1000 or options.listeners < 1 or (options.pareto is not None and options.pareto < len(TERMS)):
        raise CommandError(f"--k takes 1 to 1000, --listeners 1 or more, --pareto {len(TERMS)} or more")
    channels = {name: path.resolve() for name in CHANNELS if (path := getattr(options, name)) is not None}
    if missing := [path for path in channels.values() if not path.exists()]:
        raise CommandError(f"{missing[0]}: no such file or folder")
    if not channels:
        raise CommandError("name --interactions and --items: the files that the model was trained on")
    folder = find_model(options.model)
    if not folder.is_dir():
        raise CommandError(f"{folder} is packed: unpack it, and name the folder")
    model = load(folder)
    model = replace(model, defaults=Defaults(NOTHING, model.defaults.candidates, model.defaults.head_share))
    config = TrainingConfig.from_hyperparameters(model.info.get("configuration", {}))
    dataset = extract(channels, config, LocalEngine(usable_cpus()))
    if fingerprint(dataset) != model.info.get("data", {}).get("fingerprint"):
        raise CommandError("the model was trained on other data than these: name the channels that scripts/train was given")
    user_items = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    split = split_interactions(user_items, dataset.interactions.timestamps, config.split, config.seed, hold_out_test=dataset.test is None)
    if dataset.test is not None:
        sources = {TEST: known_listener_cases(dataset.user_ids, dataset.test.users, dataset.test.items, split.relearn)}
    else:
        sources = split_cases(split, dataset.item_ids, dataset.user_ids)
    cases = list(sources.values())[-1] if sources else []  # of new songs, the case in which all songs are ranked
    if not cases:
        raise CommandError("no listener was held out of this training: there is nobody to ask")
    chosen = np.sort(np.random.default_rng(config.seed).permutation(len(cases))[: options.listeners])
    cases = [cases[number] for number in chosen.tolist()]
    n_listeners = int(np.count_nonzero(np.diff(split.relearn.indptr)))
    return model, Judge(model, cases, options.k, Context.of(model, n_listeners, config, dataset.item_ids)), cases


def single_settings(model: Recommender, chosen: Sequence[str]) -> list[Setting]:
    """Each option with each of its values, the others off; first of all none."""
    usable = [name for name in chosen if model.features is not None or name not in NEED_CATALOGUE]
    tried = [(name, int(value) if name == "max_per_artist" else value) for name in usable for value in VALUES[name]]
    return [Setting({}, "none", ""), *(Setting({name: value}, name, f"{value:g}") for name, value in tried)]


def pareto_settings(model: Recommender, aims: Sequence[str], n: int) -> list[Setting]:
    terms = ["accuracy", *(term for term in TERMS if term in aims and (model.features is not None or term not in NEED_CATALOGUE))]
    rows = [{term: round(weight, 4) for term, weight in zip(terms, row, strict=True)} for row in simplex_points(len(terms), n, 42).tolist()]
    return [
        Setting({"objectives": row}, "objectives", " ".join(f"{term[:3]} {weight:.2f}" for term, weight in row.items())) for row in rows
    ]


def measure(model: Recommender, judge: Judge, cases: Sequence[Case], setting: Setting, k: int) -> Measured:
    asked = parse_options(setting.asked)
    recommended: NDArray[np.int32] = np.full((len(cases), k), -1, dtype=np.int32)
    for row, case in enumerate(track(cases, len(cases), f"{setting.option} {setting.value}")):
        numbers = model.rank(replace(case.request, options=asked, num_recommendations=k))
        recommended[row, : len(numbers)] = numbers
    return judge.judge(recommended)


def fronts(settings: Sequence[Setting], measured: Sequence[Measured]) -> dict[str, NDArray[np.bool_]]:
    """Returns which settings no other one beats in all aims that were weighed ("*"), and for each aim in accuracy and that one."""
    terms = list(settings[0].asked["objectives"])
    sign = {term: -1 if AIM_OF[term] in BETTER_WHEN_LOWER else 1 for term in terms}
    values = np.nan_to_num(np.array([[sign[term] * one.means[AIM_OF[term]] for term in terms] for one in measured]), nan=-np.inf)
    return {"*": non_dominated(values), **{term: non_dominated(values[:, [0, i]]) for i, term in enumerate(terms) if i}}


def write(
    output: Path,
    settings: Sequence[Setting],
    measured: Sequence[Measured],
    on: Mapping[str, NDArray[np.bool_]],
    facts: Mapping[str, Any],
) -> None:
    """Writes the table as text, CSV and JSON, and prints it."""
    names = list(measured[0].means)
    marks = [[front for front, mask in on.items() if mask[row]] for row in range(len(settings))]
    cells = [[s.option, s.value, *(f"{m.means[name]:.4f}" for name in names)] for s, m in zip(settings, measured, strict=True)]
    rows = [["option", "value", *names, "pareto"], *([*row, " ".join(mark)] for row, mark in zip(cells, marks, strict=True))]
    with (output / "tradeoffs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    plain = plain_of(settings, measured)
    document = [
        {
            **{
                "asked": s.asked,
                "pareto": mark,
                "mean": rounded(m.means),
                "interval": {name: list(pair) for name, pair in m.bounds.items()},
            },
            "ndcg_change": None if plain is None else m.change_from(plain).to_json(),
        }
        for s, m, mark in zip(settings, measured, marks, strict=True)
    ]
    (output / "tradeoffs.json").write_text(json.dumps({**facts, "settings": document}, indent=1) + "\n", encoding="ascii")
    text = "\n".join(table(rows)) + "\n"
    (output / "tradeoffs.txt").write_text(text, encoding="utf-8")
    print(f"{text}{facts['listeners']} listeners, lists of {facts['k']}")


def plain_of(settings: Sequence[Setting], measured: Sequence[Measured]) -> Measured | None:
    """Returns what was measured with the order left to the score, if that was tried."""
    asked = [parse_options(setting.asked) for setting in settings]
    return next((one for options, one in zip(asked, measured, strict=True) if options.weights == Weights() and not options.caps), None)


def rounded(means: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else round(value, 6) for name, value in means.items()}


def draw(output: Path, settings: Sequence[Setting], measured: Sequence[Measured], on: Mapping[str, NDArray[np.bool_]], k: int) -> None:
    """Writes one plot for each option that was tried, or of each front of accuracy and one aim."""
    for option in list(on)[1:] or list(dict.fromkeys(setting.option for setting in settings))[1:]:
        aim, rows = AIM_OF[option], []
        for row, (setting, one) in enumerate(zip(settings, measured, strict=True)):
            if (on or setting.option in ("none", option)) and not np.isnan(one.means[aim]):
                told = f"{setting.option} {setting.value}: {one.means[aim]:.4g}, {one.means['ndcg']:.4g}"
                best = bool(on[option][row]) if on else True
                rows.append(Point(one.means[aim], one.means["ndcg"], "" if on else setting.value or "off", told, best))
        if on:
            rows.sort()
        elif option != "max_per_artist":  # there, off is the end of the line, before the largest cap
            rows.sort(key=lambda point: 0.0 if point.label == "off" else float(point.label))
        name = f"pareto-{option}" if on else option
        if rows:
            drawn = plot(f"nDCG@{k} and {aim}, by {name}", rows, f"{aim}@{k}", f"nDCG@{k}")
            (output / f"{name}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(main))

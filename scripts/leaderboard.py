"""Trains several models on the same split and says which is better, by how much, how sure that is, and what each costs.

    scripts/leaderboard --interactions events.csv --items songs.csv --output board                     # each model alone, and the hybrid
    scripts/leaderboard --interactions events.csv --models ease,item_knn --folds 5 --output board
    scripts/leaderboard --interactions train.parquet --test test.parquet --configurations tries.json --output board
    scripts/leaderboard --interactions events.csv --items songs.csv --peers implicit_als,lightfm --output board
    scripts/leaderboard --interactions events.csv --items songs.csv --models hybrid --leave-out --output board
    scripts/leaderboard --interactions events.csv --items songs.csv --models hybrid,content --song-events 0,1,2,5,10 --output board

A contestant is a model by its name, `hybrid` (all models), or an entry of FILE.json: {"name": {"models": "ease", "ease_l2": 10}, ...}.
Each is trained through the whole pipeline in a process of its own; `-p` is for all of them. `--folds 5` makes five disjoint tests, `--seeds
1,2` repeats everything; figures are then over all listeners of all runs. Every pair is compared by a sign-flip test on the same listeners,
adjusted for the number of pairs. `--leave-out` takes each model out of the hybrid and leaves the other weights as they are.
`DIR/leaderboard.txt`, `.md`, `.csv`, `.json` and two drawings (`recall.svg`, `accuracy_time.svg`) hold the result.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts import leaderboard_plots, leaderboard_songs, leaderboard_text
from scripts.command_line import CommandError, key_values, run
from scripts.leaderboard_contest import Contest
from scripts.leaderboard_rows import Row, pairs, sorted_rows
from scripts.machine import machine
from training.config import MODELS, TrainingConfig

HYBRID = "hybrid"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0. Raises ``CommandError`` for a mistake on the command line, or where a training fails."""
    options = parse_arguments(arguments)
    channels = {name: getattr(options, name).resolve() for name in ("interactions", "items", "users", "test") if getattr(options, name)}
    for name, path in channels.items():
        if not path.exists():
            raise CommandError(f"--{name} {path}: no such file or folder")
    common = key_values(options.parameters, "-p")
    if options.song_events:
        compare_songs(options, channels, common)
        return 0
    contestants = configurations(options.configurations, options.models, common)
    texts, document = compare_models(options, channels, contestants, options.output.resolve())
    (options.output / "leaderboard.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (options.output / "leaderboard.txt").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    print("\n\n".join(texts))
    return 0


def compare_models(
    options: argparse.Namespace, channels: Mapping[str, Path], contestants: Mapping[str, Mapping[str, Any]], output: Path
) -> tuple[list[str], dict[str, Any]]:
    """Runs the contest and writes its tables and drawings. Returns its text and its JSON."""
    contest = contested(options, channels, contestants, output)
    document: dict[str, Any] = {"machine": machine(), "channels": {name: str(path) for name, path in channels.items()}, "sources": {}}
    texts = []
    for source, unsorted in contest.rows.items():
        document["sources"][source], told = report(source, unsorted, contest, options.seeds[0], output)
        texts.append(told)
    return texts, document


def compare_songs(options: argparse.Namespace, channels: Mapping[str, Path], common: Mapping[str, str]) -> None:
    """Runs the contest for each number of events that held-out songs keep; writes ``song_events.txt`` and ``.json``."""
    found, k = {}, 0
    for n in options.song_events:
        settings = {**common, **leaderboard_songs.settings_for(n, max(options.song_events))}
        contestants = configurations(options.configurations, options.models, settings)
        contest = contested(options, channels, contestants, options.output.resolve())
        found[n], k = contest.rows, contest.k
    curves = leaderboard_songs.curve(found, k, options.seeds[0])
    told = leaderboard_songs.text(curves, k)
    (options.output / "song_events.json").write_text(json.dumps({"k": k, "sources": curves}, indent=2) + "\n", encoding="utf-8")
    (options.output / "song_events.txt").write_text(told + "\n", encoding="utf-8")
    print(told)


def contested(
    options: argparse.Namespace, channels: Mapping[str, Path], contestants: Mapping[str, Mapping[str, Any]], output: Path
) -> Contest:
    """Returns the contest, run; its trainings are removed unless they are to be kept."""
    output.mkdir(parents=True, exist_ok=True)
    contest = Contest(channels, contestants, output, options.folds, options.seeds)
    contest.run(options.peers, options.peer_seconds, leave_out=options.leave_out)
    if not options.keep:
        shutil.rmtree(output / "runs", ignore_errors=True)
    return contest


def report(source: str, unsorted: Sequence[Row], contest: Contest, seed: int, output: Path) -> tuple[dict[str, Any], str]:
    """Writes the files of one source (all have its name, but for the only or last one). Returns its JSON and its text."""
    k, rows = contest.k, sorted_rows(unsorted, contest.k)
    found = pairs(rows, k, seed)
    n = len(rows[0].values(f"recall_at_{k}"))
    heading = f"{n} listeners ({source}) in {len(rows[0].results)} run(s), k = {k}; in brackets: 95 % interval over listeners"
    name = "leaderboard" if source == list(contest.rows)[-1] else f"leaderboard-{source}"
    (output / f"{name}.md").write_text(leaderboard_text.markdown(rows, found, k, seed, heading), encoding="utf-8")
    (output / f"{name}.csv").write_text(leaderboard_text.csv_text(rows, k, seed), encoding="utf-8")
    if name == "leaderboard":
        (output / "recall.svg").write_text(leaderboard_plots.bars(rows, f"recall_at_{k}", seed), encoding="utf-8")
        (output / "accuracy_time.svg").write_text(leaderboard_plots.accuracy_and_time(rows, f"ndcg_at_{k}", seed), encoding="utf-8")
    board = {
        "k": k,
        "listeners": n,
        "rows": [leaderboard_text.document(row, k, seed) for row in rows],
        "pairs": [pair.to_json() for pair in found],
    }
    return board, leaderboard_text.text(rows, found, k, seed, heading)


def configurations(path: Path | None, models: Sequence[str], common: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Returns the hyperparameters of each contestant. Raises ``CommandError`` for a name or a setting that cannot be."""
    found: dict[str, dict[str, Any]] = {}
    if path is not None:
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"--configurations {path}: {error}") from None
        if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
            raise CommandError(f'--configurations {path}: write {{"name": {{"hyperparameter": value, ...}}, ...}}')
        found = {name: {**common, **settings} for name, settings in given.items()}
    chosen = list(models) or ([] if path is not None else [*MODELS, HYBRID])
    found |= {name: {**common, **({} if name == HYBRID else {"models": name})} for name in chosen}
    for name, settings in found.items():
        if not _NAME.fullmatch(name):
            raise CommandError(f"a contestant cannot be called {name!r}: letters, digits and _.+-")
        try:
            TrainingConfig.from_hyperparameters(settings)
        except ValueError as error:
            raise CommandError(f"{name}: {error}") from None
    return found


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/leaderboard", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=Path, required=True, metavar="PLACE", help="a file or a folder")
    parser.add_argument("--items", type=Path, metavar="PLACE", help="the song catalogue")
    parser.add_argument("--users", type=Path, metavar="PLACE", help="what is said of listeners: names of playlists, attributes")
    parser.add_argument("--test", type=Path, metavar="PLACE", help="events of known listeners, in place of a hold-out")
    parser.add_argument("-p", dest="parameters", action="append", default=[], metavar="key=value", help="a hyperparameter for all")
    parser.add_argument("--models", type=_names, default=(), metavar="A,B", help=f"of {', '.join((*MODELS, HYBRID))} (all)")
    parser.add_argument("--configurations", type=Path, metavar="FILE", help="contestants with settings of their own, as JSON")
    parser.add_argument("--peers", type=_names, default=(), metavar="A,B", help="other programs: scripts/peers --list names them")
    parser.add_argument("--peer-seconds", type=float, default=60.0, metavar="S", help="for each peer to be tuned in (%(default)s)")
    parser.add_argument("--folds", type=int, default=1, metavar="N", help="disjoint tests (1)")
    parser.add_argument("--seeds", type=lambda text: [int(one) for one in text.split(",")], default=[42], metavar="A,B", help="(42)")
    parser.add_argument(
        "--song-events",
        type=lambda text: [int(one) for one in text.split(",")],
        metavar="0,1,2",
        help="instead: hold out songs with all but so many of their events, for each number",
    )
    parser.add_argument("--leave-out", action="store_true", help="also the first hybrid without each of its models")
    parser.add_argument("--keep", action="store_true", help="keeps the models and reports of all runs in DIR/runs")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the results go")
    return parser.parse_args(arguments)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


if __name__ == "__main__":
    sys.exit(run(main))

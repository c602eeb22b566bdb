"""Runs the contestants of a leaderboard, one after the other, on the same splits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.command_line import CommandError
from scripts.fresh_process import measured
from scripts.leaderboard_judge import Judge, whole_of
from scripts.leaderboard_peers import run_peer
from scripts.leaderboard_rows import Result, Row
from scripts.peers_environments import python_of
from training.config import TrainingConfig
from training.evaluation.details import DETAILS_NPZ, read_details
from training.evaluation.evaluate import ModelReport
from training.evaluation.split_file import SPLIT_NPZ, SplitFile

MAIN = "hybrid"  # the name, in every training, of what serves


@dataclass
class Contest:
    """``contestants``: hyperparameters by name. ``rows``: by source of the test, after ``run``."""

    channels: Mapping[str, Path]
    contestants: Mapping[str, Mapping[str, Any]]
    output: Path
    folds: int
    seeds: Sequence[int]
    rows: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def k(self) -> int:
        """The longest list that all are judged at."""
        return max(TrainingConfig.from_hyperparameters(next(iter(self.contestants.values()))).evaluation.k)

    def run(self, peers: Sequence[str], peer_seconds: float, *, leave_out: bool) -> None:
        """Trains everything, and collects the results in ``rows``. Raises ``CommandError`` where something fails or is not comparable."""
        for peer in peers:
            python_of(peer)  # that one is not installed is better known before hours of training
        results: dict[str, dict[str, list[Result]]] = {}
        for seed in self.seeds:
            for fold in range(self.folds):
                found = self._one_split(fold, seed, peers, peer_seconds, leave_out)
                for source, by_name in found.items():
                    for name, result in by_name.items():
                        results.setdefault(source, {}).setdefault(name, []).append(result)
        n_runs = len(self.seeds) * self.folds
        # Without a part only where every run's hybrid has that part: else the rows would be of other listeners.
        self.rows = {source: [Row(name, of) for name, of in by_name.items() if len(of) == n_runs] for source, by_name in results.items()}

    def _one_split(self, fold: int, seed: int, peers: Sequence[str], peer_seconds: float, leave_out: bool) -> dict[str, dict[str, Result]]:
        found: dict[str, dict[str, Result]] = {}
        split = ""
        first: Path | None = None
        whole: Path | None = None
        for name, settings in self.contestants.items():
            folder = self.output / "runs" / f"{name}-fold{fold}-seed{seed}"
            say(f"training {name}, fold {fold} of {self.folds}, seed {seed}")
            for source, result in self._train(folder, settings, fold, seed).items():
                found.setdefault(source, {})[name] = result
            mine = same_split(folder / "output" / SPLIT_NPZ)
            if split and mine != split:
                raise CommandError(f"{name} holds out something else than the contestants before it: give settings of the data with -p")
            split, first = mine, first or folder
            if whole is None and "," in str(settings.get("models", ",")):
                whole = folder
        assert first is not None
        if peers:
            self._add_peers(found, first, peers, peer_seconds, fold, seed)
        if leave_out:
            if whole is None:
                raise CommandError("--leave-out: there is no hybrid among the contestants; add hybrid to --models")
            self._add_left_out(found, whole, fold, seed)
        return found

    def _train(self, folder: Path, settings: Mapping[str, Any], fold: int, seed: int) -> dict[str, Result]:
        folder.mkdir(parents=True, exist_ok=True)
        folds = {"split_folds": str(self.folds), "split_fold": str(fold)} if self.folds > 1 else {}
        parameters = {**settings, **folds, "seed": str(seed), "evaluation_details": "true"}
        job = {
            "channels": {name: str(path) for name, path in self.channels.items()},
            "hyperparameters": parameters,
            "model": str(folder / "model"),
            "output": str(folder / "output"),
        }
        (folder / "job.json").write_text(json.dumps(job, indent=2), encoding="utf-8")
        took = measured("scripts.leaderboard_run", [str(folder / "job.json")])
        document = json.loads((folder / "output" / "evaluation.json").read_text(encoding="utf-8"))
        if "reason" in document:
            raise CommandError(f"nothing could be measured: {document['reason']}")
        answer = took.answer
        results = {}
        for source, models in read_details(folder / "output" / DETAILS_NPZ).items():
            values = {name: array for name, array in models[MAIN].items() if name != "recommended"}
            reported = document[source]["models"][MAIN]
            whole = {name: one["mean"] for name, one in reported.items() if "low" not in one}
            costs = (answer["seconds"], answer["cpu_seconds"], answer["fit_seconds"], took.peak_bytes)
            results[source] = Result(fold, seed, values, whole, *costs, settings=parameters)
        return results

    def _add_peers(
        self, found: dict[str, dict[str, Result]], run: Path, peers: Sequence[str], seconds: float, fold: int, seed: int
    ) -> None:
        judge = Judge.of(run / "model", run / "output")
        for peer in peers:
            say(f"{peer}: tuned for {seconds:.0f} s")
            ran = run_peer(peer, run / "output" / SPLIT_NPZ, run / "peers" / f"{peer}.npy", self.k, seconds, seed)
            report = judge.of_lists(peer, ran.lists)
            costs = (ran.seconds, ran.answer["cpu_seconds"], ran.answer["fit_seconds"], ran.peak_bytes)
            found[judge.source][peer] = Result(fold, seed, report.per_listener, whole_of(report), *costs, settings=ran.answer)

    def _add_left_out(self, found: dict[str, dict[str, Result]], run: Path, fold: int, seed: int) -> None:
        judge = Judge.of(run / "model", run / "output")
        for part, report in judge.without_each_part().items():
            settings = {"left_out": part, "weights": "the others as they were found with it"}
            found[judge.source][report.name] = _costless(report, fold, seed, settings)


def _costless(report: ModelReport, fold: int, seed: int, settings: Mapping[str, Any]) -> Result:
    return Result(fold, seed, report.per_listener, whole_of(report), 0.0, 0.0, 0.0, 0, settings)


def same_split(path: Path) -> str:
    """Returns what differs where something else is learned from or asked."""
    split = SplitFile.read(path)
    digest = hashlib.sha256()
    for matrix in (split.relearn, split.test.shown, split.test.hidden):
        digest.update(matrix.indptr.tobytes() + matrix.indices.tobytes())
    return digest.hexdigest()


def say(text: str) -> None:
    """Tells a person who waits what is being done."""
    print(f"leaderboard: {text}", flush=True)

"""The data that all contestants serve: events, our model of them, implicit's models of the same histories, and what is asked."""

from __future__ import annotations

import compileall
import json
import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array, save_npz

from inference.artifact import load
from scripts.command_line import CommandError
from tests.benchmarks.serving.contestants import ONE_THREAD, PEERS, PLATFORMS, ROOT, SERVING

KINDS = ("known", "items", "mixed")
HISTORY = 20  # songs that somebody new brings
BODIES = 2_000
# As many neighbours as implicit's item-kNN has; nothing is held out to find weights, for a single model needs none.
SETTINGS = ("graph_neighbours=100", "split_validation_fraction=0", "evaluation_single_models_up_to=0")
DONE = "prepared.json"


@dataclass(frozen=True)
class Prepared:
    """``folder`` has ``ours`` (a model folder) and ``peers`` (a folder for each of implicit's models)."""

    folder: Path
    songs: list[str]
    listeners: list[str]


def compile_bytecode() -> None:
    """Compiles what runs, as the image and pip do: a server would else compile itself at each start, where it may not write."""
    for folder in (ROOT / "inference", ROOT / "container", PEERS):
        compileall.compile_dir(folder, quiet=1)


def prepare(folder: Path, given: Path | None, songs: int, models: str) -> Prepared:
    """Trains what is missing in ``folder``; what an earlier run with the same arguments has left there is taken as it is.

    ``given``: a file of events, or a folder with ``train.parquet``; None: invented events of so many ``songs``.
    """
    wanted = {
        "data": str(given.resolve()) if given else None,
        "songs": songs,
        "models": [models, *SETTINGS],
        "peers": _peers_python() is not None,
    }
    if not (folder / DONE).exists() or json.loads((folder / DONE).read_text(encoding="utf-8")) != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _train(folder, given, songs, models)
        _export(folder)
        _fit_peers(folder)
        (folder / DONE).write_text(json.dumps(wanted), encoding="utf-8")
    ids = json.loads((folder / "peers" / "ids.json").read_text(encoding="utf-8"))
    return Prepared(folder, ids["songs"], ids["listeners"])


def write_bodies(path: Path, prepared: Prepared, kind: str, count: int = BODIES) -> list[bytes]:
    """Writes a request in each line of ``path`` and returns them: listeners by id (``known``), songs of somebody new (``items``), or
    both in turn (``mixed``). The same for the same arguments."""
    rng = random.Random(7)
    lines = []
    for place in range(count):
        if kind == "known" or (kind == "mixed" and place % 2 == 0):
            lines.append(json.dumps({"user_id": rng.choice(prepared.listeners)}))
        else:
            lines.append(json.dumps({"items": rng.sample(prepared.songs, min(HISTORY, len(prepared.songs) // 2))}))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return [line.encode("ascii") for line in lines]


def _train(folder: Path, given: Path | None, songs: int, models: str) -> None:
    events = given if given is None or given.is_file() else given / "train.parquet"
    if events is None:
        _run([str(ROOT / "scripts" / "make_dataset"), str(folder / "data"), "--songs", str(songs), "--listeners", str(songs // 2)])
        events = folder / "data" / "interactions" / "events.csv"
    if not events.is_file():
        raise CommandError(f"--data {given}: give a file of events, or a folder that has train.parquet")
    settings = [f"models={models}", *SETTINGS]
    command = [str(ROOT / "scripts" / "train"), "--interactions", str(events), "--output", str(folder / "trained")]
    _run([*command, *(part for setting in settings for part in ("-p", setting))])
    (folder / "ours").symlink_to("trained/model")


def _export(folder: Path) -> None:
    """Writes what our model knows of listeners for the peers: the same events, the same ids."""
    model = load(folder / "ours")
    rows = model.user_items
    histories = csr_array(
        (np.asarray(rows.values), np.asarray(rows.indices), np.asarray(rows.indptr)), shape=(len(model.users), rows.n_columns)
    )
    (folder / "peers").mkdir()
    save_npz(folder / "peers" / "histories.npz", histories)
    heard = np.flatnonzero(np.diff(rows.indptr) > 0).tolist()
    ids = {"songs": [model.items.id(n) for n in range(len(model.items))], "listeners": [model.users.id(n) for n in range(len(model.users))]}
    if len(heard) < len(ids["listeners"]):
        raise CommandError("there are listeners without a history: the peers could not answer them")
    (folder / "peers" / "ids.json").write_text(json.dumps(ids), encoding="utf-8")


def _fit_peers(folder: Path) -> None:
    if (python := _peers_python()) is not None:
        _run([str(python), str(PEERS / "fit.py"), str(folder / "peers")])


def _peers_python() -> Path | None:
    return next((bin_ / "python" for bin_ in (SERVING, PLATFORMS) if (bin_ / "python").exists()), None)


def _run(command: Sequence[str]) -> None:
    finished = subprocess.run(command, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise CommandError(f"{command[0]} failed:\n{(finished.stderr or finished.stdout).strip()[-2000:]}")

"""What is finished of a training: kept in memory for one that is stopped, and on disk, if there is a folder, for one that is killed.

A fitted model is some `.npy` files and a `.json` that is written last; what was found on validation is a `.json`:

    algo-1.4f0c2d9e81aa.first-ease.values.npy     HOST.IDENTITY.PART-MODEL.ARRAY.npy
    algo-1.4f0c2d9e81aa.first-ease.json
    algo-1.4f0c2d9e81aa.found.json

The identity is a hash of the data, the settings and the code: what another training has left is not read. No pickle.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from inference.scorers import KINDS, Scorer
from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.lineage import PACKAGES, code_sha256
from training.progress import log
from training.publish import fingerprint

FIRST, FINAL = "first", "final"  # fitted without what validation hides, and with it
FOUND = "found"


def identity_of(config: TrainingConfig, dataset: Dataset, earlier: str | None) -> str:
    """Returns what tells a training from any other: its data, settings, code, packages, and the version of the model that it continues."""
    test = hashlib.sha256()
    if dataset.test is not None:
        for array in (dataset.test.users, dataset.test.items):
            test.update(array.tobytes())
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    parts = [fingerprint(dataset), test.hexdigest() if dataset.test is not None else None, config.to_flat_dict()]
    return _sha256(json.dumps([*parts, code_sha256(), packages, earlier]).encode())[:12]


class Checkpoints:
    """``folder``: where to keep them; None: in memory only, or there is no writing to it. ``host`` stands in every name, since hosts may
    share the folder. ``partial``: what the name of a file ends with until all of it is there."""

    def __init__(self, folder: Path | None = None, host: str = "localhost", partial: str = ".partial") -> None:
        self.folder, self._host, self._partial = folder, host, partial
        self._prefix = f"{host}."
        self.finished: dict[str, Scorer] = {}  # the newest of each model
        self.seconds: dict[str, float] = {}  # that it took
        self.settled: tuple[TrainingConfig, dict[str, float]] | None = None  # settings and weights, once there are any

    def begin(self, identity: str) -> None:
        """Says whose checkpoints to read and write; what is there of others stays, and is told in the log."""
        self._prefix = f"{self._host}.{identity}."
        if self.folder is None:
            return
        ours = sorted(path for path in self.folder.glob(f"{self._host}.*") if path.is_file())
        for path in ours:
            if path.name.endswith(self._partial):  # somebody was killed while writing it
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
        names = [path.name for path in ours if path.suffix == ".json"]
        mine = [name for name in names if name.startswith(self._prefix)]
        log("checkpoints", folder=self.folder, identity=identity, found=len(mine))
        if len(names) > len(mine):
            log("checkpoints_ignored", count=len(names) - len(mine), reason="they are of other data, settings or code")

    def scorer(self, part: str, name: str, config: TrainingConfig, fit: Callable[[], Scorer]) -> Scorer:
        """Returns the fitted model: as it was kept, or else fits it, and keeps it. ``config``: what it is fitted with."""
        kept = self._load(f"{part}-{name}", _settings(config))
        if kept is not None:
            self.finished[name], self.seconds[name] = kept
            log("checkpoint_taken", name=f"{part}-{name}", saved_seconds=self.seconds[name])
            return kept[0]
        started = time.monotonic()
        scorer = fit()
        self.seconds[name] = time.monotonic() - started
        self.put(part, name, config, scorer)
        return scorer

    def put(self, part: str, name: str, config: TrainingConfig, scorer: Scorer) -> None:
        """Keeps a fitted model, as ``scorer`` does."""
        self.finished[name] = scorer
        self._save(f"{part}-{name}", _settings(config), scorer, self.seconds.get(name, 0.0))

    def found(self) -> dict[str, Any] | None:
        """Returns what was found on validation, as ``put_found`` got it; None if nothing is kept."""
        document = self._read(FOUND)
        if document is not None:
            log("checkpoint_taken", name=FOUND)
        return document

    def put_found(self, document: dict[str, Any]) -> None:
        """Keeps what was found on validation (JSON's types). The models that were fitted to find it are needed no more."""
        self._write(f"{FOUND}.json", lambda path: path.write_text(json.dumps(document), encoding="ascii"))
        if self.folder is not None:
            for path in self.folder.glob(f"{self._prefix}{FIRST}-*"):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)

    def _save(self, stem: str, settings: str, scorer: Scorer, seconds: float) -> None:
        if self.folder is None:
            return
        hashes = {}
        for array, values in scorer.arrays().items():
            hashes[array] = self._write(f"{stem}.{array}.npy", lambda path, values=values: _save_array(path, values))  # type: ignore[misc]
        document = {"kind": scorer.KIND, "scorer": scorer.settings(), "settings": settings, "seconds": seconds, "sha256": hashes}
        self._write(f"{stem}.json", lambda path: path.write_text(json.dumps(document), encoding="ascii"))

    def _load(self, stem: str, settings: str) -> tuple[Scorer, float] | None:
        document = self._read(stem)
        if document is None or self.folder is None:
            return None
        try:
            if document["settings"] != settings:
                raise ValueError("other settings")
            kind, arrays = KINDS[document["kind"]], {}
            for array in kind.ARRAYS:
                path = self.folder / f"{self._prefix}{stem}.{array}.npy"
                if _sha256_of(path) != document["sha256"][array]:
                    raise ValueError(f"{path.name} is not what was written")
                arrays[array] = np.load(path, allow_pickle=False)
            return kind.load(document["scorer"], arrays), float(document["seconds"])
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            log("checkpoint_ignored", name=stem, reason=f"{type(error).__name__}: {error}")
            return None

    def _read(self, stem: str) -> dict[str, Any] | None:
        if self.folder is None:
            return None
        path = self.folder / f"{self._prefix}{stem}.json"
        try:
            return dict(json.loads(path.read_text(encoding="ascii")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, RecursionError) as error:
            log("checkpoint_ignored", name=path.name, reason=f"{type(error).__name__}: {error}")
            return None

    def _write(self, name: str, write: Callable[[Path], object]) -> str:
        """Writes a file whole or not at all, and returns its sha256. A folder that can't be written is told once, and left alone then:
        the training is worth more than its checkpoints."""
        if self.folder is None:
            return ""
        path = self.folder / f"{self._prefix}{name}"
        partial = path.with_name(path.name + self._partial)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write(partial)
            digest = _sha256_of(partial)
            partial.replace(path)
            return digest
        except OSError as error:
            log("checkpoints_given_up", folder=self.folder, reason=error.strerror or str(error))
            self.folder = None
            return ""
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)


def _settings(config: TrainingConfig) -> str:
    return _sha256(json.dumps(config.to_flat_dict()).encode())


def _save_array(path: Path, values: np.ndarray) -> None:
    with path.open("wb") as file:  # np.save would add another suffix to a path
        np.save(file, values, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""Many models for a soak of a multi-model endpoint, made of one, and a thread that unloads and loads them while others ask."""

from __future__ import annotations

import json
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from inference.artifact import load, save
from inference.recommender import Recommender
from inference.sparse import SparseRows
from scripts.command_line import CommandError
from scripts.http_wire import Connection, Wire, post
from scripts.soak_broken import Broken
from scripts.soak_load import Target

_BROKEN = "broken"
_SECONDS_BETWEEN = 2.0  # from a load to the next unload
_SECONDS_AWAY = 0.5
_NEVER = float("inf")


@contextmanager
def many_models(model: Path, count: int) -> Iterator[Path]:
    """Yields a SAGEMAKER_BASE_DIR with ``count`` models, called m0, m1, …, no two of which give the same answers, and a broken one."""
    with tempfile.TemporaryDirectory(prefix="models-") as folder:
        base, recommender = Path(folder), load(model)
        for number in range(count):
            save(_with_others_histories(recommender, number), folder_of(base, f"m{number}"), recommender.info)
        shutil.copytree(folder_of(base, "m0"), folder_of(base, _BROKEN))
        blob = folder_of(base, _BROKEN) / "items.blob.npy"
        blob.write_bytes(blob.read_bytes()[:-1])
        yield base


def folder_of(base: Path, name: str) -> Path:
    return base / "models" / name / "model"


def _with_others_histories(recommender: Recommender, number: int) -> Recommender:
    """Returns a model in which each listener has the history of the one who comes ``number`` places later."""
    rows, order = recommender.user_items, recommender.order
    cut = number % len(rows)
    entries = int(rows.indptr[cut])
    indptr = np.concatenate([[0], np.cumsum(np.roll(np.diff(rows.indptr), -cut))]).astype(np.int64)
    rolled = SparseRows(indptr, np.roll(rows.indices, -entries), np.roll(rows.values, -entries), rows.n_columns)
    moved = None if order is None else replace(order, times=np.roll(order.times, -entries))
    return replace(recommender, user_items=rolled, order=moved)


@dataclass
class Loads:
    """What loads and unloads took, in seconds, and how many loads were refused as they had to be."""

    load: list[float] = field(default_factory=list)
    unload: list[float] = field(default_factory=list)
    refused: int = 0


class Loader(threading.Thread):
    """Unloads a model, looks whether it is gone, loads it again, over and over; between, it asks for what must be refused."""

    def __init__(self, port: int, base: Path, targets: dict[str, Target], seed: int, broken: Broken) -> None:
        super().__init__(daemon=True, name="loader")
        self.seen, self.running = Loads(), True
        self.broken = broken
        self._base, self._targets = base, targets
        self._rng = random.Random(seed)
        self._connection = Connection(port, timeout=60)
        self._versions = {name: json.loads((folder_of(base, name) / "model.json").read_bytes())["model_version"] for name in targets}

    def load_all(self) -> None:
        """Raises ``CommandError`` where a model is not let in: nothing can be tried then."""
        for name in self._targets:
            answer = self._load(name)
            if answer.status != 200:
                raise CommandError(f"{name} could not be loaded: {answer.status} {answer.body.decode('utf-8', 'replace')}")

    def run(self) -> None:
        while self.running:
            time.sleep(_SECONDS_BETWEEN * self._rng.random())
            try:
                self._once(self._rng.choice(list(self._targets)))
            except Exception as error:
                self.broken.add(self.name, f"what came back was no answer: {error!r}")
                self._connection.close()
        self._connection.close()

    def _once(self, name: str) -> None:
        target = self._targets[name]
        target.absences.append((time.monotonic(), _NEVER))
        begin = time.monotonic()
        if self._expect(f"DELETE {name}", self._ask(b"DELETE", f"/models/{name}"), 200):
            self.seen.unload.append(time.monotonic() - begin)
        self._expect(f"{name}, which is gone", self._ask(b"GET", f"/models/{name}"), 404)
        self._expect(f"to ask {name}, which is gone", self._connection.ask(post(target.path, b'{"user_id": "u"}')), 404)
        self._refused("a broken model", self._load(_BROKEN), 422)
        self._refused("a folder that is none", self._load("nowhere"), 422)
        time.sleep(_SECONDS_AWAY * self._rng.random())
        begin = time.monotonic()
        answer = self._load(name)
        if self._expect(f"to load {name}", answer, 200):
            self.seen.load.append(time.monotonic() - begin)
            if answer.json()["modelVersion"] != self._versions[name]:
                self.broken.add(self.name, f"{name} was loaded as {answer.body[:200]!r}, not as {self._versions[name]}")
        target.absences[-1] = (target.absences[-1][0], time.monotonic())
        self._refused(f"{name} a second time", self._load(name), 409)

    def _refused(self, what: str, answer: Wire, status: int) -> None:
        self.seen.refused += self._expect(what, answer, status)

    def _expect(self, what: str, answer: Wire, status: int) -> bool:
        if answer.status != status:
            self.broken.add(self.name, f"{what}: {answer.status} in place of {status}: {answer.body[:300]!r}")
        return answer.status == status

    def _load(self, name: str) -> Wire:
        body = {"model_name": name, "url": str(folder_of(self._base, name))}
        return self._connection.ask(post("/models", json.dumps(body).encode()))

    def _ask(self, method: bytes, path: str) -> Wire:
        return self._connection.ask(b"%s %s HTTP/1.1\r\nHost: x\r\n\r\n" % (method, path.encode()))

    def report(self) -> str:
        """Returns a line of text."""
        took = [f"{statistics.median(times):.2f}, {max(times):.2f} s" for times in (self.seen.load, self.seen.unload) if times]
        told = f"{len(self.seen.unload)} unloaded and {len(self.seen.load)} loaded again, {self.seen.refused} loads refused"
        return f"models               {told}; a load, an unload took (median, max) {'; '.join(took)}"

"""What is measured of ours alone: batches in one request, the start on large models, and the memory of workers."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.artifact import save
from scripts.benchmark_predict import made
from scripts.command_line import CommandError
from tests.benchmarks.serving.contestants import Launch, Place, ours_serving
from tests.benchmarks.serving.data import Prepared, write_bodies
from tests.benchmarks.serving.running import Running, running

ENGINES = {"mms": "multi-model-server", "uvicorn": "uvicorn"}
SOMEBODY = b'{"user_id": "listener-1"}'
JSON_LINES = "application/jsonlines"
IN_A_BATCH = 1_000
ENTRIES, HISTORY = 100, 50  # of an invented model
TOUCHED = 300  # requests before memory is looked at


@dataclass(frozen=True)
class Figure:
    """One line of the table: ``target`` is what the figure should reach, in the same unit, empty where nothing was promised."""

    what: str
    engine: str
    value: str
    target: str = ""


def batches(prepared: Prepared, engines: Sequence[str], rounds: int, folder: Path) -> Iterator[Figure]:
    """Yields listeners in a CPU second of all the server's processes, for JSON Lines of a thousand listeners in one request."""
    for kind, told in (("known", "by id"), ("items", "20 songs each")):
        lines = write_bodies(folder / f"batch-{kind}.jsonl", prepared, kind, IN_A_BATCH)
        body = b"\n".join(lines)
        for engine in engines:
            with running(_of(prepared.folder / "ours", engine), 2, lines[0], folder / f"batch-{engine}.log") as server:
                rate = statistics.median(_batch_rate(server, body) for _ in range(rounds))
            yield Figure(f"batch of {IN_A_BATCH:,} listeners, {told}: listeners/CPU s", engine, f"{rate:,.0f}", "10,000")


def _batch_rate(server: Running, body: bytes, requests: int = 10) -> float:
    for _ in range(4):  # each worker gets some
        answers = server.ask(body, JSON_LINES).splitlines()
    if len(answers) != IN_A_BATCH or any(json.loads(answer)["status"] != "success" for answer in answers):
        raise CommandError("not every line of the batch was answered")
    begin = server.cpu_seconds()
    for _ in range(requests):
        server.ask(body, JSON_LINES)
    return requests * IN_A_BATCH / max(server.cpu_seconds() - begin, 1e-9)


def cold_starts(folder: Path, engines: Sequence[str], sizes: dict[int, float], starts: int) -> Iterator[Figure]:
    """Yields the seconds from the start of ``serve`` to the first 200 of ``/ping``, for models of so many songs, with the seconds that are
    promised; and what CPU time had been spent by the first answer. The first start reads the files into memory, and is not counted."""
    for songs, target in sizes.items():
        model = made_model(folder, songs)
        for engine in engines:
            found = [_start(model, engine, folder) for _ in range(starts + 1)][1:]
            name = f"start on {songs:,} songs"
            yield Figure(f"{name}: s to the first honest ping", engine, f"{statistics.median(s for s, _ in found):.2f}", f"{target:g}")
            yield Figure(f"{name}: CPU seconds until then", engine, f"{statistics.median(cpu for _, cpu in found):.2f}")


def _start(model: Path, engine: str, folder: Path) -> tuple[float, float]:
    with running(_of(model, engine), 2, SOMEBODY, folder / f"start-{engine}.log", ping=True) as server:
        assert server.first_ping is not None
        return server.first_ping, server.cpu_seconds()


def memory(folder: Path, engines: Sequence[str], songs: int) -> Iterator[Figure]:
    """Yields the MB (PSS) of all processes with two workers, and what each further one adds; after some requests to all of them."""
    model = made_model(folder, songs)
    for engine in engines:
        taken = {workers: _taken(model, engine, workers, folder) for workers in (2, 4)}
        (all_, files), (more, _) = taken[2], taken[4]
        yield Figure(f"memory of two workers on {songs:,} songs: MB in all", engine, f"{all_ / 1e6:.0f}", "300")
        yield Figure(f"memory of two workers on {songs:,} songs: MB of mapped files", engine, f"{files / 1e6:.0f}")
        yield Figure(f"memory of a further worker on {songs:,} songs: MB", engine, f"{(more - all_) / 2e6:.0f}", "30")


def _taken(model: Path, engine: str, workers: int, folder: Path) -> tuple[int, int]:
    """Returns bytes in all, and those of mapped files."""
    with running(_of(model, engine), workers, SOMEBODY, folder / f"memory-{engine}.log") as server:
        for number in range(TOUCHED * workers):
            server.ask(json.dumps({"user_id": f"listener-{number}"}).encode())
        return server.memory(), server.memory("Pss_File")


def made_model(folder: Path, songs: int) -> Path:
    """Returns a model of so many songs, made up as scripts/benchmark_predict does; kept in ``folder`` for the next time."""
    model = folder / f"made-{songs}"
    if not (model / "model.json").exists():
        shutil.rmtree(model, ignore_errors=True)
        save(made(songs, ENTRIES, min(HISTORY, songs // 2)), model, {})
    return model


def _of(model: Path, engine: str) -> Callable[[Place], Launch]:
    return lambda place: ours_serving(model.resolve(), place, engine)

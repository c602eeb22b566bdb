"""What each setting of Java and multi-model-server is worth: the server without it beside the server as it is, in interleaved rounds."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from container.serving.class_archive import make_archive
from container.serving.java_runtime import find_java
from container.serving.settings import BATCH_SIZE_ENV, CLASS_ARCHIVE_ENV, NETTY_THREADS_ENV, Settings
from scripts.answer_table import table
from scripts.process_memory import proportional_bytes
from tests.benchmarks.serving.contestants import Launch, Place, ours_serving
from tests.benchmarks.serving.load import Load, load
from tests.benchmarks.serving.running import Running, running

FLAGS = "SAGEMAKER_MODEL_SERVER_VMARGS"
WARM_UP_SECONDS = 2.0
FEW, MANY = 1, 16  # clients


@dataclass(eq=False)
class Without:
    """``what`` is left out by these ``variables``. One element for each round: seconds, bytes, CPU seconds."""

    what: str
    variables: Mapping[str, str]
    first_ping: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    few: list[Load] = field(default_factory=list)
    many: list[Load] = field(default_factory=list)
    cpu_per_request: list[float] = field(default_factory=list)

    def cells(self) -> list[str]:
        """Returns its row."""
        p50, p99 = (statistics.median(getattr(one, what) for one in self.few) for what in ("p50", "p99"))
        rate = statistics.median(one.rate for one in self.many)
        seconds, cpu = statistics.median(self.first_ping), 1e6 * statistics.median(self.cpu_per_request)
        return [
            self.what,
            f"{seconds:.2f}",
            f"{statistics.median(self.memory) / 1e6:.0f}",
            f"{p50:.2f} / {p99:.2f}",
            f"{rate:,.0f}",
            f"{cpu:,.0f}",
        ]


def left_out() -> list[Without]:
    """Returns the server as it is, and without each setting: what Java or multi-model-server would do if nobody said anything."""
    ours = ("-XX:+UseSerialGC", f"-Xmx{Settings.from_environment({}).heap_mb}m")
    young = " ".join(f"-XX:{flag}={_left_alone(flag, *ours)}" for flag in ("NewSize", "MaxNewSize"))
    cpus = os.cpu_count() or 1
    return [
        Without("as it is", {}),
        Without("serial collector", {FLAGS: "-XX:+UseG1GC"}),
        Without("first compiler only", {FLAGS: "-XX:TieredStopAtLevel=4"}),
        Without("heap from the memory's limit", {FLAGS: f"-Xmx{_left_alone('MaxHeapSize')}"}),
        Without("young generation of 16 MB", {FLAGS: young}),
        Without("one thread for the network", {NETTY_THREADS_ENV: str(2 * cpus)}),
        Without("the archive of classes", {CLASS_ARCHIVE_ENV: ""}),
        Without("waiting requests together", {BATCH_SIZE_ENV: "1"}),
        Without("the line of each request", {"SAGEMAKER_CONTAINER_LOG_LEVEL": "30"}),
    ]


def _left_alone(flag: str, *given: str) -> int:
    """Returns what Java chooses for a flag that nobody sets, beside those that are given."""
    command = [find_java(os.environ), *given, "-XX:+PrintFlagsFinal", "-version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    [value] = re.findall(rf"\b{flag}\s*:?=\s*(\d+)", told)
    return int(value)


def worth_of_settings(model: Path, bodies: Path, folder: Path, seconds: float, rounds: int) -> list[str]:
    """Returns the table. ``model`` is served by two workers, and asked for what is in the file ``bodies``."""
    make_archive(archive := folder.resolve() / "classes.jsa")  # as the image has one
    rows = left_out()
    body = bodies.read_bytes().splitlines()[0]
    for _ in range(rounds):
        for row in rows:
            with running(_of(model, {CLASS_ARCHIVE_ENV: str(archive), **row.variables}), 2, body, folder / "jvm.log", ping=True) as server:
                _measure(row, server, bodies, seconds)
            print(f"without {row.what}: {row.many[-1].rate:,.0f} requests/s", flush=True)
    heading = ["without", "first ping s", "Java MB", f"p50 / p99 ms, {FEW} client", f"req/s, {MANY}", f"CPU µs/request, {MANY}"]
    return table([heading, *(row.cells() for row in rows)])


def _measure(row: Without, server: Running, bodies: Path, seconds: float) -> None:
    assert server.first_ping is not None
    row.first_ping.append(server.first_ping)
    load(server.port, bodies, MANY, WARM_UP_SECONDS)
    row.few.append(load(server.port, bodies, FEW, seconds))
    begin = server.cpu_seconds()
    found = load(server.port, bodies, MANY, seconds)
    row.cpu_per_request.append((server.cpu_seconds() - begin) / max(found.requests, 1))
    row.many.append(found)
    row.memory.append(proportional_bytes(_java(server.pids())) or 0)


def _java(pids: Sequence[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == "java"]


def _of(model: Path, variables: Mapping[str, str]) -> Callable[[Place], Launch]:
    def launch(place: Place) -> Launch:
        plain = ours_serving(model.resolve(), place, "mms")
        return Launch(plain.command, {**plain.variables, **variables}, plain.folder)

    return launch

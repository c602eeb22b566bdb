"""Keeps a server under load for minutes, kills its workers meanwhile, and sees whether anybody notices.

    scripts/soak runs/demo/trained                                      # multi-model-server, 10 minutes
    scripts/soak runs/demo/trained --engine uvicorn --minutes 1
    scripts/soak runs/demo/trained --models 4                           # a multi-model endpoint, whose models come and go

First it measures what the server does with 4 callers who ask as fast as they can; then they ask at 80 % of that, one request in twenty is
a bad one (those of scripts/fuzz), and every 15 s a worker is killed (kill -9). With --models one model after another is unloaded and loaded
again meanwhile. It ends with 1 if a promise is broken: every good answer has the bytes that inference gives without a server; only a
request that a killed worker had fails, once, with 500, 503 or a lost connection; the worker is back within 2 s; a model is away only while
it is unloaded and loaded, and answers for itself; all processes together (proportional set size) grow by less than 20 MB after the first
quarter; and when, at the end, the process that the engine cannot do without is killed, the server ends with a code that is not 0 and leaves
no process. What was broken is told with who asked what and was answered what, the first ones with the last lines of the server's log.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from container.serving.responder import Responder
from inference.artifact import load
from scripts.command_line import CommandError, run
from scripts.fuzz_inputs import Inputs
from scripts.local_server import base_folder, find_model
from scripts.server_processes import alive
from scripts.soak_broken import Broken
from scripts.soak_load import Caller, Target
from scripts.soak_models import Loader, folder_of, many_models
from scripts.watched_server import WatchedServer, add_options, until, watched

CALLERS = 4
SHARE = 0.8
SECONDS_BETWEEN_KILLS = 15
BACK_SECONDS = 2.0
GROWTH_BYTES = 20_000_000
_MEASURE_SECONDS = 5.0
_EXCUSE_SECONDS = 1.0  # how long before and after a kill its requests may be lost
_LARGEST = 1_000_000


class Soak:
    """One run on a server. ``targets``: the models that are asked; ``loader``: who loads and unloads them, where somebody does."""

    def __init__(self, server: WatchedServer, inputs: Inputs, targets: Sequence[Target], seed: int, loader: Loader | None) -> None:
        self.server, self.loader = server, loader
        self.broken = Broken(server.log_path) if loader is None else loader.broken
        self.kills: list[float] = []
        self.back: list[float] = []
        self.memory: list[tuple[float, int]] = []
        self._pause = 0.0
        self._rng = random.Random(seed)
        self.callers = [
            Caller(server.port, inputs, targets, f"{seed} {number}", lambda: self._pause, self._excused, self.broken)
            for number in range(CALLERS)
        ]

    def run(self, seconds: float) -> float:
        """Returns the requests in a second that the server did when it was asked as fast as could be."""
        for caller in self.callers:
            caller.start()
        time.sleep(_MEASURE_SECONDS)
        full = sum(len(caller.seen.milliseconds) for caller in self.callers) / _MEASURE_SECONDS
        for caller in self.callers:
            caller.seen.milliseconds.clear()
        self._pause = CALLERS / (SHARE * max(full, 1))
        if self.loader is not None:
            self.loader.start()
        begin = time.monotonic()
        between = min(SECONDS_BETWEEN_KILLS, seconds / 4)
        next_kill = begin + between
        while (now := time.monotonic()) < begin + seconds:
            if now >= next_kill:
                self._kill()
                next_kill = time.monotonic() + between
            self.memory.append((now - begin, self.server.memory()))
            time.sleep(0.5)
        threads: list[Caller | Loader] = [*self.callers, *([] if self.loader is None else [self.loader])]
        for thread in threads:
            thread.running = False
        for thread in threads:
            thread.join(90)
            if thread.is_alive():
                self.broken.add(thread.name, "waits for an answer, and has for more than a minute")
        self._judge_memory(seconds)
        return full

    def _excused(self, begin: float, end: float) -> bool:
        return any(begin - _EXCUSE_SECONDS <= back and kill <= end + _EXCUSE_SECONDS for kill, back in self._outages())

    def _outages(self) -> list[tuple[float, float]]:
        """Returns when workers were killed, and when the next ones were there: now, where that is not so yet."""
        back = [kill + seconds for kill, seconds in zip(self.kills, self.back, strict=False)]
        return list(zip(self.kills, [*back, time.monotonic()], strict=False))

    def _kill(self) -> None:
        workers = self.server.workers()
        victim = self._rng.choice(workers)
        self.kills.append(time.monotonic())
        os.kill(victim, signal.SIGKILL)
        seconds = until(10, lambda: len(now := self.server.workers()) == len(workers) and victim not in now)
        if seconds is None or seconds > BACK_SECONDS:
            self.broken.add("kill", f"worker {victim} of {workers} was back after {seconds} s; there are now {self.server.workers()}")
        self.back.append(10.0 if seconds is None else seconds)

    def growth(self, seconds: float) -> int:
        """Returns by how much the memory has grown from the second eighth of the time to the last one, in bytes."""
        early = [size for when, size in self.memory if seconds / 8 <= when < seconds / 4]
        late = [size for when, size in self.memory if when >= seconds * 7 / 8]
        return int(statistics.median(late) - statistics.median(early)) if early and late else 0

    def _judge_memory(self, seconds: float) -> None:
        if self.growth(seconds) > GROWTH_BYTES:
            course = ", ".join(f"{when:.0f} s: {size / 1e6:.0f}" for when, size in self.memory[:: max(1, len(self.memory) // 16)])
            self.broken.add("memory", f"the processes have grown by {self.growth(seconds) / 1e6:.1f} MB; in MB {course}")

    def end(self) -> None:
        """Kills what the engine cannot do without."""
        family = self.server.processes()
        os.kill(self.server.main_process(), signal.SIGKILL)
        if until(20, lambda: self.server.process.poll() is not None) is None or not self.server.process.returncode:
            self.broken.add("end", f"the server did not end with an error, but with {self.server.process.returncode}")
        if until(10, lambda: not alive(family)) is None:
            self.broken.add("end", f"processes are left: {[family[pid] for pid in alive(family)]}")

    def report(self, seconds: float, full: float) -> str:
        """Returns what was seen in ``seconds``, as lines of text; ``full``: what ``run`` returned."""
        milliseconds = sorted(ms for caller in self.callers for ms in caller.seen.milliseconds)
        statuses = sum((caller.seen.statuses for caller in self.callers), Counter[int]())
        again = sum(caller.seen.again for caller in self.callers)
        counts = ", ".join(f"{status or 'no answer'}: {count:,}" for status, count in sorted(statuses.items()))
        lines = [
            f"requests             {statuses.total():,}: {counts}",
            f"asked                at {SHARE * full:,.0f} a second, {SHARE:.0%} of the {full:,.0f} that it did before",
            f"p50, p99, max ms     {', '.join(f'{milliseconds[int(q * (len(milliseconds) - 1))]:.1f}' for q in (0.5, 0.99, 1))}",
            f"kills                {len(self.kills)}, back after {max(self.back, default=0):.2f} s at most; {again} requests asked again",
            f"memory (PSS)         {self.memory[-1][1] / 1e6:.0f} MB at the end, {self.growth(seconds) / 1e6:+.1f} MB since the warm-up",
        ]
        if self.loader is not None:
            absent = sum(caller.seen.not_loaded for caller in self.callers)
            lines.append(f"{self.loader.report()}; {absent} requests came while theirs was away")
        return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 if a promise was broken. Raises ``CommandError`` for a mistake on the command line."""
    options = parse_arguments(arguments)
    with base_folder(find_model(options.model)) as base:
        model = load(base / "model")
        listeners, songs = ([known.id(number) for number in range(min(len(known), 500))] for known in (model.users, model.items))
        inputs = Inputs(listeners, songs, options.seed, enormous=_LARGEST)
        if options.models:
            with many_models(base / "model", options.models) as many, watched(many, options.engine, SAGEMAKER_MULTI_MODEL="true") as server:
                names = [f"m{number}" for number in range(options.models)]
                targets = {name: Target(f"/models/{name}/invoke", offline(folder_of(many, name), inputs)) for name in names}
                loader = Loader(server.port, many, targets, options.seed, Broken(server.log_path))
                loader.load_all()
                soak = Soak(server, inputs, list(targets.values()), options.seed, loader)
                full = soak.run(60 * options.minutes)
                soak.end()
        else:
            with watched(base, options.engine) as server:
                soak = Soak(server, inputs, [Target("/invocations", offline(base / "model", inputs))], options.seed, None)
                full = soak.run(60 * options.minutes)
                soak.end()
    print(soak.report(60 * options.minutes, full))
    what = f"{options.engine}, {f'{options.models} models, ' if options.models else ''}{options.minutes:g} minutes, seed {options.seed}"
    print(f"{what}: {len(soak.broken.lines)} broken promises")
    for line in soak.broken.lines[:20]:
        print(f"broken: {line}", file=sys.stderr)
    return 1 if soak.broken.lines else 0


def offline(model: Path, inputs: Inputs) -> list[bytes]:
    """Returns the answers to all good requests, as inference gives them without a server."""
    responder = Responder(model, max_response=10**9)
    probes = [inputs.good_one(number) for number in range(len(inputs))]
    return [responder.reply(probe.body, (probe.content_type or b"").decode(), None).body for probe in probes]


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line. Raises ``CommandError``."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--minutes", type=float, default=10, help="under load, after 5 s of measuring (%(default)s)")
    parser.add_argument("--models", type=int, default=0, metavar="N", help="serve so many models made of this one; multi-model-server only")
    options = parser.parse_args(arguments)
    if not options.minutes > 0:
        raise CommandError("--minutes must be more than 0")
    if options.models and (options.models < 2 or options.engine != "mms"):
        raise CommandError("--models must be 2 or more, and needs --engine mms: uvicorn has no multi-model endpoints")
    return options


if __name__ == "__main__":
    sys.exit(run(main))

"""Keeps a server under load for minutes, kills its workers meanwhile, and sees whether anybody notices.

    scripts/soak runs/demo/trained                                      # multi-model-server, 10 minutes
    scripts/soak runs/demo/trained --engine uvicorn --minutes 1

First it measures what the server does with 4 callers who ask as fast as they can; then they ask at 80 % of that, one request in twenty is
a bad one (those of scripts/fuzz), and every 15 s a worker is killed (kill -9). It ends with 1 if a promise is broken: every good answer has
the bytes that inference gives without a server; only a request that a killed worker had fails, once, with 500, 503 or a lost connection;
the worker is back within 2 s; all processes together (proportional set size) grow by less than 20 MB after the first quarter; and when,
at the end, the process that the engine cannot do without is killed, the server ends with a code that is not 0 and leaves no process.
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

from container.serving.responder import Responder
from inference.artifact import load
from scripts.command_line import CommandError, run
from scripts.fuzz_inputs import Inputs
from scripts.local_server import base_folder, find_model
from scripts.server_processes import alive
from scripts.soak_load import Caller
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
    """One run on a server. ``broken``: one line for each promise that was not kept."""

    def __init__(self, server: WatchedServer, inputs: Inputs, expected: list[bytes], seed: int) -> None:
        self.server, self.broken = server, list[str]()
        self.kills: list[float] = []
        self.back: list[float] = []
        self.memory: list[tuple[float, int]] = []
        self._pause = 0.0
        self._rng = random.Random(seed)
        self.callers = [
            Caller(server.port, inputs, expected, f"{seed} {number}", lambda: self._pause, self._excused) for number in range(CALLERS)
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
        begin = time.monotonic()
        next_kill = begin + min(SECONDS_BETWEEN_KILLS, seconds / 4)
        while (now := time.monotonic()) < begin + seconds:
            if now >= next_kill:
                self._kill()
                next_kill = time.monotonic() + SECONDS_BETWEEN_KILLS
            self.memory.append((now - begin, self.server.memory()))
            time.sleep(0.5)
        for caller in self.callers:
            caller.running = False
        for caller in self.callers:
            caller.join(60)
            self.broken += caller.seen.broken
        self._judge_memory(seconds)
        return full

    def _excused(self, begin: float, end: float) -> bool:
        return any(begin - _EXCUSE_SECONDS <= kill <= end + _EXCUSE_SECONDS for kill in self.kills)

    def _kill(self) -> None:
        workers = self.server.workers()
        victim = self._rng.choice(workers)
        self.kills.append(time.monotonic())
        os.kill(victim, signal.SIGKILL)
        seconds = until(10, lambda: len(now := self.server.workers()) == len(workers) and victim not in now)
        if seconds is None or seconds > BACK_SECONDS:
            self.broken.append(f"a killed worker was back after {seconds} s")
        self.back.append(10.0 if seconds is None else seconds)

    def growth(self, seconds: float) -> int:
        """Returns by how much the memory has grown from the second eighth of the time to the last one, in bytes."""
        early = [size for when, size in self.memory if seconds / 8 <= when < seconds / 4]
        late = [size for when, size in self.memory if when >= seconds * 7 / 8]
        return int(statistics.median(late) - statistics.median(early)) if early and late else 0

    def _judge_memory(self, seconds: float) -> None:
        if self.growth(seconds) > GROWTH_BYTES:
            self.broken.append(f"the processes have grown by {self.growth(seconds) / 1e6:.1f} MB")

    def end(self) -> None:
        """Kills what the engine cannot do without."""
        family = list(self.server.processes())
        os.kill(self.server.main_process(), signal.SIGKILL)
        if until(10, lambda: self.server.process.poll() is not None) is None or not self.server.process.returncode:
            self.broken.append(f"the server did not end with an error, but with {self.server.process.returncode}")
        if until(5, lambda: not alive(family)) is None:
            self.broken.append(f"processes are left: {alive(family)}")

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
        return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 if a promise was broken. Raises ``CommandError`` for a mistake on the command line."""
    options = parse_arguments(arguments)
    with base_folder(find_model(options.model)) as base:
        model = load(base / "model")
        listeners, songs = ([known.id(number) for number in range(min(len(known), 500))] for known in (model.users, model.items))
        inputs = Inputs(listeners, songs, options.seed, enormous=_LARGEST)
        offline = Responder(base / "model", max_response=10**9)
        probes = [inputs.good_one(number) for number in range(len(inputs))]
        expected = [offline.reply(probe.body, (probe.content_type or b"").decode(), None).body for probe in probes]
        with watched(base, options.engine) as server:
            soak = Soak(server, inputs, expected, options.seed)
            full = soak.run(60 * options.minutes)
            soak.end()
    print(soak.report(60 * options.minutes, full))
    print(f"{options.engine}, {options.minutes:g} minutes, seed {options.seed}: {len(soak.broken)} broken promises")
    for line in soak.broken[:20]:
        print(f"broken: {line}", file=sys.stderr)
    return 1 if soak.broken else 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line. Raises ``CommandError``."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--minutes", type=float, default=10, help="under load, after 5 s of measuring (%(default)s)")
    options = parser.parse_args(arguments)
    if not options.minutes > 0:
        raise CommandError("--minutes must be more than 0")
    return options


if __name__ == "__main__":
    sys.exit(run(main))

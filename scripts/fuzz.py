"""Sends a server whatever one can think of, and counts what comes back.

    scripts/fuzz runs/demo/trained                                     # multi-model-server, 10,000 inputs
    scripts/fuzz runs/demo/trained --engine uvicorn --inputs 100000 --seed 7

A quarter of the inputs go to the handler in this process, the others over HTTP to a server that it starts (container/bin/serve), some of
these as raw bytes. Good requests stand between them. It ends with 1 if a promise is broken: no dead worker, no 500, no traceback or path in
an answer, every error in the one form, and every good request answered with the same bytes, whatever came before it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from container.serving.responder import Reply, Responder
from inference.artifact import load
from scripts.command_line import CommandError, run
from scripts.fuzz_inputs import Inputs, Probe
from scripts.fuzz_models import STATUSES, any_model_request, load_request, many_models, without_places
from scripts.fuzz_promises import broken_promises
from scripts.fuzz_tally import Tally
from scripts.fuzz_wire import Throw, Wires
from scripts.http_wire import Connection, answers_in, post, throw
from scripts.local_server import base_folder, find_model
from scripts.watched_server import WatchedServer, add_options, until, watched

CALLERS = 4
MAX_ANSWER = 6 * 1024 * 1024  # what serve allows by default
_RAW = 0.08  # of the inputs over HTTP
_REMEMBERED = 300  # odd inputs that are asked again at the end
_PATIENCE = 0.3


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 if a promise was broken. Raises ``CommandError`` for a mistake on the command line."""
    options = parse_arguments(arguments)
    begin = time.monotonic()
    tally = Tally()
    with base_folder(find_model(options.model)) as base:
        model = load(base / "model")
        listeners, songs = ([known.id(number) for number in range(min(len(known), 500))] for known in (model.users, model.items))
        inputs = Inputs(listeners, songs, options.seed)
        here, models = options.inputs // 4, options.inputs // 20 if options.engine == "mms" else 0
        for batch in (False, True):
            in_process(Responder(base / "model", max_response=MAX_ANSWER, batch=batch), inputs, here // 2, options.seed, batch, tally)
        over_http(base, options.engine, inputs, options.inputs - 2 * (here // 2) - models, options.seed, tally)
        if models:
            to_many_models(base / "model", inputs, models, options.seed, tally)
    print(tally.table())
    print(f"{tally.inputs:,} inputs ({options.engine}, seed {options.seed}) in {time.monotonic() - begin:.0f} s: {tally.summary()}")
    for line in tally.broken[:20]:
        print(f"broken: {line}", file=sys.stderr)
    return 1 if tally.broken else 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line. Raises ``CommandError``."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--inputs", type=int, default=10_000, help="how many (%(default)s)")
    options = parser.parse_args(arguments)
    if options.inputs < 1:
        raise CommandError("--inputs must be 1 or more")
    return options


# --- in this process -----------------------------------------------------------------------------------------------------------------


def in_process(responder: Responder, inputs: Inputs, count: int, seed: int, batch: bool, tally: Tally) -> None:
    """Asks the handler's whole way, as a worker does: bytes and headers in, status, type and bytes out. ``batch``: of batch transform."""

    def ask(probe: Probe) -> Reply:
        return responder.reply(probe.body, _text(probe.content_type), _text(probe.accept), "id")

    expected = [ask(inputs.good_one(number)) for number in range(len(inputs))]
    rng = random.Random(f"{seed} in process {batch}")
    remembered: list[tuple[Probe, tuple[int, str, bytes]]] = []
    for _ in range(count):
        probe = inputs.any(rng)
        try:
            reply = ask(probe)
        except BaseException as error:
            tally.add(f"handler: {probe.kind}", 0, [f"raised {error!r}"], probe.body)
            continue
        wrong = broken_promises(reply.status, reply.content_type, reply.body, by_line=batch)
        if probe.good is not None and (reply.status, reply.body) != (expected[probe.good].status, expected[probe.good].body):
            wrong.append("another answer than before")
        tally.add(f"handler: {probe.kind}", reply.status, wrong, probe.body)
        if len(remembered) < _REMEMBERED and len(probe.body) < 100_000:
            remembered.append((probe, (reply.status, reply.content_type, reply.body)))
    rng.shuffle(remembered)
    for probe, before in remembered:
        again = ask(probe)
        same = (again.status, again.content_type, again.body) == before
        tally.add("handler: asked again", again.status, [] if same else ["another answer than before"], probe.body)


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


# --- over HTTP -----------------------------------------------------------------------------------------------------------------------


def over_http(base: Path, engine: str, inputs: Inputs, count: int, seed: int, tally: Tally) -> None:
    with watched(base, engine) as server:
        before = (server.parent_of_workers(), server.workers())
        connection = Connection(server.port)
        expected = [connection.ask(_request(inputs.good_one(number))).body for number in range(len(inputs))]
        connection.close()
        shares = [count // CALLERS + (caller < count % CALLERS) for caller in range(CALLERS)]
        with ThreadPoolExecutor(CALLERS) as callers:
            for one in [callers.submit(_call, server, inputs, expected, share, f"{seed} {i}", tally) for i, share in enumerate(shares)]:
                one.result()
        _after(server, before, tally)


def _after(server: WatchedServer, before: tuple[int, list[int]], tally: Tally) -> None:
    if until(10, lambda: server.ping() == 200) is None:
        tally.broken.append("the server is not healthy any more")
    tally.deaths += len({before[0], *before[1]} - {server.parent_of_workers(), *server.workers()})
    tally.watch_log(server.log())


def to_many_models(model: Path, inputs: Inputs, count: int, seed: int, tally: Tally) -> None:
    """Asks a multi-model endpoint, on which one model is loaded all the time, for others."""
    with many_models(model) as base, watched(base, "mms", SAGEMAKER_MULTI_MODEL="true") as server:
        before = (server.parent_of_workers(), server.workers())
        rng, connection = random.Random(f"{seed} models"), Connection(server.port)
        good = post("/models/a/invoke", inputs.good_one(0).body)
        connection.ask(load_request(base, "a"))
        expected = connection.ask(good)
        for number in range(count):
            request = good if number % 5 == 0 else any_model_request(rng, base, inputs.any(rng).body[:100_000])
            try:
                answer = connection.ask(request)
            except (OSError, ValueError) as error:
                tally.add("many models", 0, [f"no answer: {error!r}"], request)
                continue
            wrong = broken_promises(
                answer.status, answer.headers.get("content-type", ""), without_places(answer.body, base), refusals=STATUSES
            )
            if request is good and (answer.status, answer.body) != (200, expected.body):
                wrong.append("another answer than before")
            tally.add("many models: good" if request is good else "many models", answer.status, wrong, request)
        names = [one["modelName"] for one in connection.ask(b"GET /models HTTP/1.1\r\nHost: x\r\n\r\n").json()["models"]]
        if not {"a"} <= {*names} <= {"a", "b"}:
            tally.broken.append(f"loaded at the end: {names}")
        connection.close()
        _after(server, before, tally)


def _call(server: WatchedServer, inputs: Inputs, expected: list[bytes], count: int, seed: str, tally: Tally) -> None:
    rng = random.Random(seed)
    wires = Wires(inputs.good_one(0).body)
    connection = Connection(server.port)
    for _ in range(count):
        if rng.random() < _RAW:
            _throw(server, wires.any(rng), tally)
            continue
        probe = inputs.any(rng)
        try:
            answer = connection.ask(_request(probe))
        except (OSError, ValueError) as error:
            tally.add(probe.kind, 0, [f"no answer: {error!r}"], probe.body)
            continue
        wrong = broken_promises(answer.status, answer.headers.get("content-type", ""), answer.body)
        if probe.good is not None and (answer.status, answer.body) != (200, expected[probe.good]):
            wrong.append(f"another answer than before, with status {answer.status}")
        tally.add(probe.kind, answer.status, wrong, probe.body)
    connection.close()


def _request(probe: Probe) -> bytes:
    headers = [(b"Content-Type", probe.content_type), (b"Accept", probe.accept)]
    return post("/invocations", probe.body, b"".join(b"%s: %s\r\n" % (name, value) for name, value in headers if value is not None))


def _throw(server: WatchedServer, thrown: Throw, tally: Tally) -> None:
    data = b"".join(thrown.pieces[:3])
    try:
        received = throw(server.port, thrown.pieces, half_close=thrown.half_close, patience=_PATIENCE)
        answers, rest = answers_in(received, thrown.bodiless)
    except (OSError, ValueError) as error:
        tally.add(f"raw: {thrown.kind}", 0, [f"no HTTP came back: {error!r}"], data)
        return
    wrong = [f"{len(answers)} answers"] if len(answers) > thrown.most_answers else []
    if rest and not thrown.bodiless:
        wrong.append(f"half an answer: {rest[:60]!r}")
    for answer in answers:
        plain = answer.status == 200 and "json" not in answer.headers.get("content-type", "")  # /ping and /metrics
        if not (thrown.bodiless or plain):
            wrong += broken_promises(answer.status, answer.headers.get("content-type", ""), answer.body)
        elif answer.status >= 500:
            wrong.append(f"status {answer.status}")
    tally.add(f"raw: {thrown.kind}", answers[0].status if answers else -1, wrong, data)


if __name__ == "__main__":
    sys.exit(run(main))

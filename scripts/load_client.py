"""One client of scripts/benchmark_serving, a light process of its own: sends requests over one kept connection and times each.

The first line on stdin is the job as JSON (``Job``). After the warm-up it writes a line, waits for a line, measures, and writes the
``Result`` as JSON.
"""

from __future__ import annotations

import gc
import http.client
import itertools
import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypedDict


class Job(TypedDict):
    host: str
    port: int
    bodies: list[str]
    headers: dict[str, str]
    warm_up: float
    seconds: float


class Result(TypedDict):
    """``milliseconds`` has one entry for each request that was answered with 200; ``errors`` says what the others got."""

    milliseconds: list[float]
    errors: list[str]
    elapsed: float


def load(connection: http.client.HTTPConnection, bodies: Iterator[bytes], headers: dict[str, str], seconds: float) -> Result:
    """Sends one request after the other until ``seconds`` are over."""
    milliseconds: list[float] = []
    errors: list[str] = []
    begin = now = time.perf_counter()
    while now - begin < seconds:
        start = now
        problem = ask(connection, next(bodies), headers)
        now = time.perf_counter()
        if problem is None:
            milliseconds.append(1000 * (now - start))
        else:
            errors.append(problem)
    return {"milliseconds": milliseconds, "errors": errors, "elapsed": now - begin}


def ask(connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> str | None:
    """Returns None for an answer with status 200, else what came instead. A lost connection is opened anew by the next request."""
    try:
        connection.request("POST", "/invocations", body, headers)
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        time.sleep(0.01)  # a server that is gone refuses at once: no need to count that a million times
        return f"{type(error).__name__}: {error}"
    return None if answer.status == 200 else f"{answer.status} {content[:300].decode('utf-8', 'replace')}"


def each_in_turn(bodies: Sequence[str]) -> Iterator[bytes]:
    return itertools.cycle([body.encode() for body in bodies])


def main() -> int:
    job: Job = json.loads(sys.stdin.readline())
    connection = http.client.HTTPConnection(job["host"], job["port"], timeout=60)
    bodies = each_in_turn(job["bodies"])
    load(connection, bodies, job["headers"], job["warm_up"])
    gc.disable()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(load(connection, bodies, job["headers"], job["seconds"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())

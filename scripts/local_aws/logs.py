"""What the processes print: line by line to CloudWatch Logs, and to whoever looks for metrics in it."""

from __future__ import annotations

import os
import re
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.local_aws.errors import invalid

FLUSH_SECONDS = 0.3
MOST_EVENTS = 1000  # in one call
LONGEST_EVENT = 200_000  # characters; CloudWatch Logs takes 262,144 bytes
REMEMBERED = 20


class LogStream:
    """One stream of a log group. ``latest`` has the last lines, for a person who asks what went wrong."""

    def __init__(self, client: Any, group: str, stream: str) -> None:
        self._client, self._group, self._stream = client, group, stream
        self._made = False
        self.latest: deque[str] = deque(maxlen=REMEMBERED)

    def follow(self, output: IO[bytes], see: Callable[[str], None] = lambda line: None) -> threading.Thread:
        """Starts a thread that reads to the end of ``output``, and returns it."""
        thread = threading.Thread(target=self._read, args=[output, see], daemon=True, name=f"log of {self._stream}")
        thread.start()
        return thread

    def write(self, line: str) -> None:
        """Adds a line of our own."""
        self.latest.append(line)
        self._send([{"timestamp": int(1000 * time.time()), "message": line[:LONGEST_EVENT] or " "}])

    def last_line(self) -> str:
        return next((line for line in reversed(self.latest) if line.strip()), "")

    def _read(self, output: IO[bytes], see: Callable[[str], None]) -> None:
        rest, waiting, begin = b"", [], time.monotonic()
        with output:
            while True:
                ready, _, _ = select.select([output], [], [], FLUSH_SECONDS)
                chunk = os.read(output.fileno(), 1 << 16) if ready else None
                *whole, rest = (rest + (chunk or b"")).split(b"\n")
                if chunk == b"" and rest:
                    whole, rest = [*whole, rest], b""
                for line in whole:
                    text = line.decode("utf-8", "replace").rstrip("\r")
                    see(text)
                    self.latest.append(text)
                    waiting.append({"timestamp": int(1000 * time.time()), "message": text[:LONGEST_EVENT] or " "})
                if waiting and (chunk is None or chunk == b"" or time.monotonic() - begin > FLUSH_SECONDS):
                    self._send(waiting)
                    waiting, begin = [], time.monotonic()
                if chunk == b"":
                    return

    def _send(self, events: Sequence[Mapping[str, Any]]) -> None:
        try:
            if not self._made:
                for make in (self._make_group, self._make_stream):
                    make()
                self._made = True
            for first in range(0, len(events), MOST_EVENTS):
                part = events[first : first + MOST_EVENTS]
                self._client.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=part)
        except (BotoCoreError, ClientError) as error:  # a job does not fail of its log
            print(f"local_sagemaker: the log {self._group}/{self._stream} cannot be written: {error}", flush=True)

    def _make_group(self) -> None:
        _unless_it_exists(lambda: self._client.create_log_group(logGroupName=self._group))

    def _make_stream(self) -> None:
        _unless_it_exists(lambda: self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream))


def _unless_it_exists(make: Callable[[], object]) -> None:
    try:
        make()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise


class Metrics:
    """Looks for the figures of ``MetricDefinitions`` in lines of a log, and keeps the values of each."""

    def __init__(self, definitions: Sequence[Mapping[str, str]]) -> None:
        """Raises ``ApiError`` for a regular expression that is none, or has no group."""
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._found: dict[str, tuple[float, float]] = {}
        self._values: dict[str, list[float]] = {}
        self._lock = threading.Lock()
        for definition in definitions:
            try:
                pattern = re.compile(definition["Regex"])
            except re.error as error:
                raise invalid(f"The Regex of the metric {definition['Name']} is not a regular expression: {error}.") from None
            if pattern.groups < 1:
                raise invalid(f"The Regex of the metric {definition['Name']} has no group for its value.")
            self._patterns[definition["Name"]] = pattern

    def see(self, line: str) -> None:
        for name, pattern in self._patterns.items():
            for match in pattern.finditer(line):
                try:
                    value = float(match[1])
                except (TypeError, ValueError):
                    continue
                with self._lock:
                    self._found[name] = (value, time.time())
                    self._values.setdefault(name, []).append(value)

    def final(self) -> list[dict[str, Any]]:
        """Returns ``FinalMetricDataList``."""
        with self._lock:
            return [{"MetricName": name, "Value": value, "Timestamp": at} for name, (value, at) in self._found.items()]

    def values(self, name: str) -> Sequence[float]:
        """Returns all values of one figure so far, in their order."""
        with self._lock:
            return tuple(self._values.get(name, ()))

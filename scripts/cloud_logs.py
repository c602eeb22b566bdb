"""The lines that a job or an endpoint has written to CloudWatch Logs: followed while it runs, or the last ones."""

from __future__ import annotations

import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts import aws

GROUPS = "/aws/sagemaker/"
MOST_STREAMS = 50
LAST_EVENTS = 20


class LogFollower:
    """Prints what is new in every stream of a group whose name begins with ``prefix``; with the host's name where there are ``several``."""

    def __init__(self, logs: Any, group: str, prefix: str = "", *, several: bool = False) -> None:
        self._logs, self._group, self._prefix, self._several = logs, f"{GROUPS}{group}", prefix, several
        self._tokens: dict[str, str | None] = {}
        self._readable = True

    def show_new(self) -> None:
        """Prints the lines since the last call. A log that may not be read is said once, and never asked for again."""
        if not self._readable:
            return
        try:
            for stream in stream_names(self._logs, self._group, self._prefix):
                host = f"{stream.removeprefix(self._prefix).rpartition('-')[0] or stream}: " if self._several else ""
                for message in self._new_messages(stream):
                    print(f"          {host}{message.rstrip()}", flush=True)
        except (ClientError, BotoCoreError) as error:
            self._readable = False
            print(f"the log {self._group} cannot be read, the job goes on: {error}", file=sys.stderr)

    def _new_messages(self, stream: str) -> list[str]:
        found: list[str] = []
        while True:
            before = self._tokens.get(stream)
            more = {"nextToken": before} if before else {}
            answer = self._logs.get_log_events(logGroupName=self._group, logStreamName=stream, startFromHead=True, **more)
            found += [event["message"] for event in answer["events"]]
            self._tokens[stream] = answer["nextForwardToken"]
            if not answer["events"] or answer["nextForwardToken"] == before:
                return found


def stream_names(logs: Any, group: str, prefix: str) -> list[str]:
    """Returns the streams, at most 50; none where the group is not there yet."""
    narrowed = {"logStreamNamePrefix": prefix} if prefix else {}
    try:
        streams = logs.describe_log_streams(logGroupName=group, limit=MOST_STREAMS, **narrowed)["logStreams"]
    except ClientError as error:
        if aws.error_code(error) == "ResourceNotFoundException":
            return []
        raise
    return [stream["logStreamName"] for stream in streams]


def last_lines(logs: Any, group: str, prefix: str = "", count: int = LAST_EVENTS) -> list[str]:
    """Returns the last lines of the newest stream; none where there is no log, or it may not be read."""
    full = f"{GROUPS}{group}"
    try:
        newest: list[dict[str, Any]] = []
        for stream in stream_names(logs, full, prefix):
            events = logs.get_log_events(logGroupName=full, logStreamName=stream, startFromHead=False, limit=count)["events"]
            if events and (not newest or events[-1]["timestamp"] >= newest[-1]["timestamp"]):
                newest = events
    except (ClientError, BotoCoreError):
        return []
    return [event["message"].rstrip() for event in newest[-count:]]

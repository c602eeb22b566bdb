"""How far a training job is, as its record says it: statuses, transitions, and the seconds that it has used."""

from __future__ import annotations

import time
from typing import Any

from scripts.local_aws.context import Context
from scripts.local_aws.records import Records

FINAL = ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded")


class TrainingProgress:
    """Writes into the job's record. Time is counted while it is on its machines, from Training on; not while it waits to start again."""

    def __init__(self, context: Context, records: Records, name: str) -> None:
        self._context, self._records, self._name = context, records, name
        self._seconds = 0.0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """What all starts together have used."""
        return self._seconds + (time.monotonic() - self._since if self._since is not None else 0.0)

    def step(self, secondary: str, message: str, **facts: Any) -> None:
        """Sets the secondary status and adds it to the transitions."""
        now = time.time()
        transitions = self._records.get(self._name).get("SecondaryStatusTransitions", [])
        if transitions:
            transitions[-1].setdefault("EndTime", now)
        final = {"EndTime": now} if secondary in FINAL else {}
        transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": message, **final})
        self._records.change(self._name, SecondaryStatus=secondary, SecondaryStatusTransitions=transitions, **facts)
        self._context.say(f"training job {self._name}: {secondary}")

    def begin(self) -> None:
        """The command starts: from here on it is paid for."""
        self._since = time.monotonic()
        started = {} if "TrainingStartTime" in self._records.get(self._name) else {"TrainingStartTime": time.time()}
        self.step("Training", "Training image download completed. Training in progress.", **started)

    def pause(self) -> None:
        """The machines are gone."""
        self._seconds, self._since = self.seconds, None

    def end(self, status: str, message: str, secondary: str = "", **facts: Any) -> None:
        """Ends the job. What is billed is what was used: nothing here knows what a spot instance costs less."""
        self.pause()
        used = round(self._seconds)
        started = "TrainingStartTime" in self._records.get(self._name)
        seconds = {"TrainingTimeInSeconds": used, "BillableTimeInSeconds": used} if started else {}
        self.step(secondary or status, message, TrainingJobStatus=status, TrainingEndTime=time.time(), **seconds, **facts)
        if "FailureReason" in facts:
            self._context.say(f"training job {self._name}: {facts['FailureReason']}")

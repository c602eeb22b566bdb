"""One tuning job, on a thread of its own: training jobs, a few at a time, until there have been enough."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Sequence
from statistics import median
from typing import Any

from scripts.local_aws.context import Context
from scripts.local_aws.errors import ApiError
from scripts.local_aws.records import Records
from scripts.local_aws.training_jobs import TrainingJobs
from scripts.local_aws.tuning_checks import TuningPlan
from scripts.local_aws.tuning_search import search_for
from scripts.local_aws.tuning_space import Values
from scripts.local_aws.tuning_summaries import RUNNING, Summary, best_of, count, summarise, value_of

POLL_SECONDS = 0.1
TOO_MANY_FAILURES = 5  # of the first training jobs, without one that has ended well
ENOUGH_TO_COMPARE = 3  # finished jobs, before one is stopped early


class TuningRun:
    """``earlier``: what the parents of a warm start have found. Progress is written into the records."""

    def __init__(
        self, context: Context, records: Records, training: TrainingJobs, plan: TuningPlan, earlier: Sequence[tuple[Values, float]]
    ) -> None:
        self._context, self._records, self._training, self._plan = context, records, training, plan
        self._earlier = [(values, self._sign * value) for values, value in earlier if plan.space.holds(values)]
        self._search = search_for(plan.strategy, plan.space, plan.seed)
        self._launched: list[str] = []
        self._stop = threading.Event()
        self._begin = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"tuning {plan.name}")

    @property
    def _sign(self) -> float:
        return 1.0 if self._plan.objective["Type"] == "Maximize" else -1.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stops its training jobs, and starts no more."""
        self._stop.set()

    def join(self) -> None:
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        name = self._plan.name
        try:
            status, reason = self._search_until_it_ends()
        except Exception as error:
            traceback.print_exc()
            status, reason = "Failed", f"InternalServerError: {type(error).__name__}: {error}"
        if self._context.ending.is_set():
            return  # its training jobs are being ended, and its record says so at the next start
        now, seconds = time.time(), round(time.monotonic() - self._begin)
        facts = {"FailureReason": reason[:1024]} if reason else {}
        ended = {"HyperParameterTuningEndTime": now, "ConsumedResources": {"RuntimeInSeconds": seconds}}
        self._records.change(name, HyperParameterTuningJobStatus=status, **ended, **facts)
        self._context.say(f"tuning job {name}: {status}" + (f": {reason}" if reason else ""))

    def _search_until_it_ends(self) -> tuple[str, str]:
        """Returns the status at the end, and why it failed, if it did."""
        closing, all_started = "", False
        told: dict[str, Any] = {}
        while not self._context.ending.wait(POLL_SECONDS):
            jobs = self._jobs()
            if (said := self._tell(jobs)) != told:
                self._records.change(self._plan.name, **said)
                told = said
            running = [one["TrainingJobName"] for one in jobs if one["TrainingJobStatus"] in RUNNING]
            if not closing and (closing := self._why_end(jobs)):
                self._end_jobs(running)
            if not closing:
                self._end_jobs(self._hopeless(jobs))
                while not all_started and len(running) < self._plan.at_once:
                    if started := self._launch(jobs):
                        running.append(started["TrainingJobName"])
                        jobs.append(started)
                    all_started = started is None
            if (closing or all_started) and not running:
                return self._status(closing, jobs)
        return "Stopped", ""

    def _jobs(self) -> list[Summary]:
        there = set(self._training.records.names())  # one may have been deleted
        return [summarise(self._training.records.get(name), self._plan.objective) for name in self._launched if name in there]

    def _tell(self, jobs: Sequence[Summary]) -> dict[str, Any]:
        best = best_of(jobs, self._plan.objective)
        return {**count(jobs), **({"BestTrainingJob": best} if best else {})}

    def _why_end(self, jobs: Sequence[Summary]) -> str:
        """Returns why no more training jobs are started, and those that run are stopped; "" if it goes on."""
        plan = self._plan
        if self._stop.is_set():
            self._records.change(plan.name, HyperParameterTuningJobStatus="Stopping")
            return "stopped"
        if time.monotonic() - self._begin > plan.max_runtime:
            return "over time"
        values = [self._sign * value for one in jobs if one["TrainingJobStatus"] == "Completed" and (value := value_of(one)) is not None]
        if plan.target is not None and values and max(values) >= self._sign * plan.target:
            return "target met"
        if plan.patience is not None and len(values) - 1 - (values.index(max(values)) if values else 0) >= plan.patience:
            return "no better"
        ended = [one for one in jobs if one["TrainingJobStatus"] not in RUNNING]
        if len(ended) >= TOO_MANY_FAILURES and all(one["ObjectiveStatus"] == "Failed" for one in ended):
            return "too many failures"
        return ""

    def _launch(self, jobs: Sequence[Summary]) -> Summary | None:
        """Starts one more training job and returns it, None if there is none to start."""
        if len(self._launched) >= self._plan.most:
            return None
        found = [(one["TunedHyperParameters"], self._sign * value) for one in jobs if (value := value_of(one)) is not None]
        others = [one["TunedHyperParameters"] for one in jobs if value_of(one) is None]
        values = self._search.next([*self._earlier, *found], others)
        if values is None:
            return None
        request = self._plan.training_request(len(self._launched) + 1, values)
        facts = {"TuningJobArn": self._records.arn(self._plan.name), "TunedHyperParameters": values}
        self._training.launch(request, **facts)
        self._launched.append(request["TrainingJobName"])
        self._context.say(f"tuning job {self._plan.name}: {request['TrainingJobName']} tries {values}")
        return summarise(self._training.records.get(request["TrainingJobName"]), self._plan.objective)

    def _hopeless(self, jobs: Sequence[Summary]) -> list[str]:
        """Returns the running jobs whose latest value is worse than the median of what the finished ones had on average by then.

        The median stopping rule, as AWS describes its early stopping (Golovin et al., Google Vizier, 2017).
        """
        finished = [one["TrainingJobName"] for one in jobs if one["TrainingJobStatus"] == "Completed"]
        if not self._plan.early_stopping or len(finished) < ENOUGH_TO_COMPARE:
            return []
        courses = [self._course(name) for name in finished]
        hopeless = []
        for one in jobs:
            course = self._course(one["TrainingJobName"]) if one["TrainingJobStatus"] == "InProgress" else []
            averages = [sum(other[: len(course)]) / len(course) for other in courses if len(other) >= len(course) > 0]
            if averages and course[-1] < median(averages):
                hopeless.append(one["TrainingJobName"])
        return hopeless

    def _course(self, name: str) -> list[float]:
        return [self._sign * value for value in self._training.metric_values(name, self._plan.objective["MetricName"])]

    def _end_jobs(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                self._training.stop({"TrainingJobName": name})
            except ApiError:
                continue  # it has ended meanwhile

    def _status(self, closing: str, jobs: Sequence[Summary]) -> tuple[str, str]:
        if closing == "stopped":
            return "Stopped", ""
        if jobs and all(one["ObjectiveStatus"] == "Failed" for one in jobs):
            said = "All training jobs failed. Please take a look at the training jobs failures to get more details."
            first = next((one["FailureReason"] for one in jobs if "FailureReason" in one), "none of them printed the objective metric")
            return "Failed", f"{said} The first one: {first}"
        return "Completed", ""

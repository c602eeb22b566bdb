"""The training jobs of a tuning job as its operations tell them: summaries, counters, and the best one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.local_aws import service_model

Summary = dict[str, Any]
RUNNING = ("InProgress", "Stopping")
COPIED = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime", "TrainingJobStatus", "FailureReason")
INTERNAL = "InternalServerError"  # how a reason begins that is not the algorithm's


def summarise(job: Mapping[str, Any], objective: Mapping[str, str]) -> Summary:
    """Returns a ``HyperParameterTrainingJobSummary``. ``job``: the record of a training job, tuned values with it."""
    value = next((one["Value"] for one in job.get("FinalMetricDataList", ()) if one["MetricName"] == objective["MetricName"]), None)
    summary = {name: job[name] for name in COPIED if name in job}
    if job["TrainingJobStatus"] in RUNNING:
        summary["ObjectiveStatus"] = "Pending"
    elif value is None or not math.isfinite(value) or job["TrainingJobStatus"] == "Failed":
        summary["ObjectiveStatus"] = "Failed"
    else:
        summary["ObjectiveStatus"] = "Succeeded"
        summary["FinalHyperParameterTuningJobObjectiveMetric"] = {**objective, "Value": value}
    return {**summary, "TunedHyperParameters": job["TunedHyperParameters"]}


def value_of(summary: Summary) -> float | None:
    """Returns the objective that a job has reached, None without one."""
    metric = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    return float(metric["Value"]) if metric else None


def best_of(summaries: Sequence[Summary], objective: Mapping[str, str]) -> Summary | None:
    """Returns the completed job with the best objective; of equals the earliest."""
    sign = 1.0 if objective["Type"] == "Maximize" else -1.0
    done = [(sign * value, one) for one in summaries if (value := value_of(one)) is not None and one["TrainingJobStatus"] == "Completed"]
    return max(done, key=lambda pair: pair[0])[1] if done else None


def count(summaries: Sequence[Summary]) -> dict[str, dict[str, int]]:
    """Returns ``TrainingJobStatusCounters`` and ``ObjectiveStatusCounters``. Retryable is what our own side was to blame for."""
    kinds = [_kind(one) for one in summaries]
    training = {kind: kinds.count(kind) for kind in ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")}
    states = [one["ObjectiveStatus"] for one in summaries]
    return {
        "TrainingJobStatusCounters": training,
        "ObjectiveStatusCounters": {state: states.count(state) for state in ("Succeeded", "Pending", "Failed")},
    }


def _kind(summary: Summary) -> str:
    status = str(summary["TrainingJobStatus"])
    if status == "Failed":
        return "RetryableError" if summary.get("FailureReason", "").startswith(INTERNAL) else "NonRetryableError"
    return "InProgress" if status in RUNNING else status


def page_of(summaries: Sequence[Summary], request: Mapping[str, Any]) -> tuple[list[Summary], str | None]:
    """Returns what ListTrainingJobsForHyperParameterTuningJob answers, and the next page's token. Raises ``ValueError``."""
    members = service_model.members_of("ListTrainingJobsForHyperParameterTuningJob", "TrainingJobSummaries")
    by = request.get("SortBy", "Name")
    kept = [one for one in summaries if request.get("StatusEquals") in (None, one["TrainingJobStatus"])]
    if by == "FinalObjectiveMetricValue":  # those without one are not listed then
        kept = sorted((one for one in kept if value_of(one) is not None), key=lambda one: value_of(one) or 0.0)
    else:
        key = {"Name": "TrainingJobName", "Status": "TrainingJobStatus"}.get(by, "CreationTime")
        kept = sorted(kept, key=lambda one: one[key])
    kept = kept[::-1] if request.get("SortOrder") == "Descending" else kept
    begin = int(request.get("NextToken") or "0")
    end = begin + request.get("MaxResults", 10)
    page = [{name: value for name, value in one.items() if name in members} for one in kept[begin:end]]
    return page, str(end) if end < len(kept) else None

"""What CreateHyperParameterTuningJob is asked for: ranges within those that ``train --describe`` gives, around a training job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from container.train_describe import create_algorithm
from scripts.training_request import TrainingJob, hyperparameter_mistakes
from training.algorithm import NAME
from training.config import MODELS, ConfigError, TrainingConfig

LONGEST_NAME = 32
MOST_RANGES = 30
SCALES = ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic")
WIDE = 1000.0  # a range whose ends are so many times apart is searched by orders of magnitude


@dataclass(frozen=True)
class Range:
    """Values of one hyperparameter to try. ``whole``: integers only."""

    name: str
    low: str
    high: str
    scale: str
    whole: bool

    def request(self) -> dict[str, str]:
        return {"Name": self.name, "MinValue": self.low, "MaxValue": self.high, "ScalingType": self.scale}


@dataclass(frozen=True)
class TuningJob:
    """``job``: what is the same for all training jobs; ``objective``: a metric's name and ``Maximize`` or ``Minimize``."""

    job: TrainingJob
    ranges: Sequence[Range]
    objective: tuple[str, str]
    strategy: str = "Bayesian"
    jobs: int = 20
    at_once: int = 2
    early_stopping: bool = False
    seed: int | None = None
    parents: Sequence[str] = ()

    def request(self) -> dict[str, Any]:
        """Returns the request of boto3's ``create_hyper_parameter_tuning_job``."""
        of_job = self.job.request()
        name, tags = of_job.pop("TrainingJobName"), of_job.pop("Tags")
        static = of_job.pop("HyperParameters")
        by_kind = {
            "IntegerParameterRanges": [one.request() for one in self.ranges if one.whole],
            "ContinuousParameterRanges": [one.request() for one in self.ranges if not one.whole],
        }
        metric, way = self.objective
        parents = [{"HyperParameterTuningJobName": parent} for parent in self.parents]
        warm = {"ParentHyperParameterTuningJobs": parents, "WarmStartType": "IdenticalDataAndAlgorithm"}
        return {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobConfig": {
                "Strategy": self.strategy,
                "HyperParameterTuningJobObjective": {"Type": way, "MetricName": metric},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": self.jobs, "MaxParallelTrainingJobs": self.at_once},
                "ParameterRanges": {kind: ranges for kind, ranges in by_kind.items() if ranges},
                "TrainingJobEarlyStoppingType": "Auto" if self.early_stopping else "Off",
                **({"RandomSeed": self.seed} if self.seed is not None else {}),
            },
            "TrainingJobDefinition": {"StaticHyperParameters": static, **of_job},
            **({"WarmStartConfig": warm} if parents else {}),
            "Tags": tags,
        }

    def mistakes(self) -> list[str]:
        """Returns what AWS, or the first training job, would refuse; a sentence each."""
        found = []
        if len(self.job.name) > LONGEST_NAME:
            found.append(f"--name {self.job.name}: a tuning job's name has at most {LONGEST_NAME} characters")
        if not 1 <= len(self.ranges) <= MOST_RANGES:
            found.append(f"give --tune once to {MOST_RANGES} times: it is given {len(self.ranges)} times")
        names = [one.name for one in self.ranges]
        found += [f"--tune {name} is given twice" for name in sorted({name for name in names if names.count(name) > 1})]
        found += [f"{name} has a value by -p and a range by --tune: leave one out" for name in names if name in self.job.hyperparameters]
        if not 1 <= self.at_once <= self.jobs:
            found.append(f"--at-once {self.at_once}: from 1 to --jobs, which is {self.jobs}")
        for one in self.ranges:
            found += hyperparameter_mistakes({one.name: one.low}) + hyperparameter_mistakes({one.name: one.high})
        return found


def tunable(hyperparameters: Mapping[str, str], image: str) -> tuple[dict[str, dict[str, Any]], list[tuple[str, str]]]:
    """Returns what ``train --describe`` says for these settings: the tunable hyperparameters by name, and the objectives, best first.

    Where the settings are wrong, it is what it says for the defaults: that they are wrong is said elsewhere.
    """
    try:
        config = TrainingConfig.from_hyperparameters(hyperparameters)
    except ConfigError:
        config = TrainingConfig.from_hyperparameters({})
    described = create_algorithm(config, NAME, image)["TrainingSpecification"]
    in_use = {
        one["Name"]: one for one in described["SupportedHyperParameters"] if one["IsTunable"] and _model(one["Name"]) in config.models
    }
    return in_use, [(one["MetricName"], one["Type"]) for one in described["SupportedTuningJobObjectiveMetrics"]]


def range_of(text: str, options: Mapping[str, Mapping[str, Any]]) -> tuple[Range | None, str]:
    """Reads ``NAME``, ``NAME=LOW:HIGH`` or ``NAME=LOW:HIGH:SCALE``. Returns the range, or what is wrong with it."""
    name, equals, values = text.partition("=")
    if name not in options:
        return None, f"--tune {name}: not a tunable hyperparameter of the models in -p models; these are {', '.join(options)}"
    whole = options[name]["Type"] == "Integer"
    whole_range = options[name]["Range"]["IntegerParameterRangeSpecification" if whole else "ContinuousParameterRangeSpecification"]
    low, high, scale = whole_range["MinValue"], whole_range["MaxValue"], ""
    if equals:
        parts = values.split(":")
        if len(parts) not in (2, 3):
            return None, f"--tune {text}: write it as {name}, {name}=LOW:HIGH or {name}=LOW:HIGH:Logarithmic"
        low, high, scale = [*parts, ""][:3]
    try:
        ends = [float(int(end)) if whole else float(end) for end in (low, high)]
    except ValueError:
        return None, f"--tune {text}: {name} takes {'whole numbers' if whole else 'numbers'}"
    if not float(whole_range["MinValue"]) <= ends[0] < ends[1] <= float(whole_range["MaxValue"]):
        return None, f"--tune {text}: the lower end comes first, both within {whole_range['MinValue']} to {whole_range['MaxValue']}"
    scale = scale or ("Logarithmic" if ends[0] > 0 and ends[1] / ends[0] >= WIDE else "Auto")
    if scale not in SCALES:
        return None, f"--tune {text}: the scale is one of {', '.join(SCALES)}"
    if scale == "Logarithmic" and ends[0] <= 0:
        return None, f"--tune {text}: a logarithmic scale begins above 0"
    if scale == "ReverseLogarithmic" and (whole or ends[0] < 0 or ends[1] >= 1):
        return None, f"--tune {text}: a reverse logarithmic scale is for numbers from 0 to below 1"
    return Range(name, low, high, scale, whole), ""


def _model(hyperparameter: str) -> str:
    """Returns the model that a flat name belongs to."""
    return max((model for model in MODELS if hyperparameter.startswith(f"{model}_")), key=len, default="")

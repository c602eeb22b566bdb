"""``train --describe``: the request of CreateAlgorithm, made of the configuration class, so that it can say nothing that is not so."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from container import exit_codes, paths
from container.paths import SettingsError
from inference.media_types import SUPPORTED
from training.algorithm import DESCRIPTION, NAME, is_tunable, wanted_first
from training.channels import ARCHIVES, KINDS, ChannelKind
from training.config import ConfigError, TrainingConfig, spelled
from training.hyperparameter_values import Option

# Limits of the API, beyond which a request is refused.
MAX_HYPERPARAMETERS, MAX_DESCRIPTION, MAX_CHOICES = 100, 1024, 30
_SIZES = ("xlarge", "2xlarge", "4xlarge")  # no model needs a GPU
TRAINING_INSTANCES = tuple(f"ml.{kind}.{size}" for kind in ("m5", "c5", "r5", "m6i", "c6i", "r6i", "m7i", "c7i", "r7i") for size in _SIZES)
SERVING_INSTANCES = ("ml.t2.medium", *(f"ml.{kind}.{size}" for kind in ("m5", "c5", "r5", "m6i", "c6i", "r6i") for size in _SIZES))
TRANSFORM_INSTANCES = tuple(f"ml.{kind}.{size}" for kind in ("m5", "c5", "m6i", "c6i", "r6i") for size in _SIZES)


def main(arguments: Sequence[str]) -> int:
    """Prints the document for the settings of ``hyperparameters.json``, if there is one, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="train --describe", description=__doc__)
    parser.add_argument("--describe", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--name", default=NAME, help="AlgorithmName (%(default)s)")
    parser.add_argument("--image", default=f"{NAME}:latest", help="URI of the image in ECR (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        config = TrainingConfig.from_hyperparameters(paths.hyperparameters())
    except (ConfigError, SettingsError) as error:
        print(error, file=sys.stderr)
        return exit_codes.USER_ERROR
    print(json.dumps(create_algorithm(config, options.name, options.image), indent=2))
    if left_out := [option.name for option in wanted_first()[MAX_HYPERPARAMETERS:]]:
        print(f"An algorithm has room for {MAX_HYPERPARAMETERS} hyperparameters. Left out: {', '.join(left_out)}.", file=sys.stderr)
    return exit_codes.DONE


def create_algorithm(config: TrainingConfig, name: str, image: str) -> dict[str, Any]:
    """Returns the request of boto3's ``create_algorithm``. The metrics are those that training with ``config`` prints."""
    from training.evaluation.text import metric_definitions, objectives  # imports numpy

    options = wanted_first()
    left_out = len(options) - MAX_HYPERPARAMETERS
    more = f" {left_out} further settings exist; training by image takes them, too." if left_out > 0 else ""
    return {
        "AlgorithmName": name,
        "AlgorithmDescription": DESCRIPTION + more,
        "TrainingSpecification": {
            "TrainingImage": image,
            "SupportedHyperParameters": [hyperparameter(option) for option in options[:MAX_HYPERPARAMETERS]],
            "SupportedTrainingInstanceTypes": list(TRAINING_INSTANCES),
            "SupportsDistributedTraining": True,
            "MetricDefinitions": metric_definitions(config),
            "TrainingChannels": [channel(kind) for kind in KINDS.values()],
            "SupportedTuningJobObjectiveMetrics": [{"MetricName": metric, "Type": way} for metric, way in objectives(config)],
        },
        "InferenceSpecification": {
            "Containers": [{"Image": image}],
            "SupportedTransformInstanceTypes": list(TRANSFORM_INSTANCES),
            "SupportedRealtimeInferenceInstanceTypes": list(SERVING_INSTANCES),
            "SupportedContentTypes": list(SUPPORTED),
            "SupportedResponseMIMETypes": list(SUPPORTED),
        },
    }


def hyperparameter(option: Option) -> dict[str, Any]:
    """Returns one of ``SupportedHyperParameters``. Lists, maps and text are free text; numbers without two bounds have no range."""
    described: dict[str, Any] = {"Name": option.name, "Description": option.help[:MAX_DESCRIPTION], "Type": "FreeText"}
    one = option.shape == "one" and not option.optional
    choices = ("true", "false") if option.type is bool else option.choices
    if one and choices and len(choices) <= MAX_CHOICES:
        described |= {"Type": "Categorical", "Range": {"CategoricalParameterRangeSpecification": {"Values": list(choices)}}}
    elif one and option.type in (int, float):
        kind = "Integer" if option.type is int else "Continuous"
        described["Type"] = kind
        if option.min is not None and option.max is not None:
            described["Range"] = {
                f"{kind}ParameterRangeSpecification": {"MinValue": _number(option.min), "MaxValue": _number(option.max)},
            }
    described |= {"IsTunable": is_tunable(option), "IsRequired": False}
    if default := spelled(option.default):
        described["DefaultValue"] = default
    return described


def channel(kind: ChannelKind) -> dict[str, Any]:
    """Returns one of ``TrainingChannels``. None is required, since one of several is enough; its description says which."""
    needed = " At least one of these is needed: " + ", ".join(one.name for one in KINDS.values() if one.teaches) + "."
    return {
        "Name": kind.name,
        "Description": kind.help + ("." + needed if kind.teaches else ""),
        "IsRequired": False,
        "SupportedContentTypes": list(kind.content_types),
        "SupportedCompressionTypes": ["None"] if kind.content_types == ARCHIVES else ["None", "Gzip"],
        "SupportedInputModes": ["File", "FastFile", *(["Pipe"] if kind.streams else [])],
    }


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.10f}".rstrip("0")

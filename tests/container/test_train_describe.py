"""`train --describe` prints what CreateAlgorithm takes, and each of its claims is one that the configuration holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from container.train import main
from training.algorithm import wanted_first
from training.channels import KINDS, MODEL
from training.config import MODELS, OF_THE_MACHINE, TrainingConfig
from training.data.extract import CHANNELS
from training.hyperparameter_values import parse_value


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["--describe", "--image", "1.dkr.ecr.eu-west-1.amazonaws.com/music:v1", "--name", "music"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def shape() -> Any:
    model = botocore.session.get_session().get_service_model("sagemaker")
    return model.operation_model("CreateAlgorithm").input_shape


def beyond_limits(value: Any, shape: Any, where: str = "") -> list[str]:
    """What the service refuses and botocore's own validator lets pass: too long, too many, unknown names, other characters."""
    wrong = []
    limits = shape.metadata
    if shape.type_name in ("string", "list") and len(value) > limits.get("max", len(value)):
        wrong.append(f"{where}: {len(value)} is over {limits['max']}")
    if shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            wrong.append(f"{where}: {value} is none of its names")
        if "\\p" not in limits.get("pattern", "\\p") and not re.fullmatch(limits["pattern"], value):
            wrong.append(f"{where}: {value} does not fit {limits['pattern']}")
    if shape.type_name == "list":
        wrong += [line for i, one in enumerate(value) for line in beyond_limits(one, shape.member, f"{where}[{i}]")]
    if shape.type_name == "structure":
        wrong += [line for name, one in value.items() for line in beyond_limits(one, shape.members[name], f"{where}.{name}")]
    return wrong


def test_the_service_model_of_botocore_accepts_it_and_no_limit_is_passed(document: dict[str, Any]) -> None:
    assert ParamValidator().validate(document, shape()).generate_report() == ""
    assert beyond_limits(document, shape()) == []
    assert document["TrainingSpecification"]["TrainingImage"] == document["InferenceSpecification"]["Containers"][0]["Image"]


def test_the_check_of_limits_finds_what_passes_them() -> None:
    assert beyond_limits({"AlgorithmName": "a b"}, shape())
    assert beyond_limits({"AlgorithmDescription": "x" * 1025}, shape())
    assert beyond_limits({"TrainingSpecification": {"SupportedTrainingInstanceTypes": ["ml.mine"]}}, shape())


def test_every_default_and_every_end_of_a_range_is_a_value_that_training_takes(document: dict[str, Any]) -> None:
    options = {option.name: option for option in TrainingConfig.options()}
    for described in document["TrainingSpecification"]["SupportedHyperParameters"]:
        option = options[described["Name"]]
        if "DefaultValue" in described:
            assert parse_value(option, described["DefaultValue"]) == option.default
        for ends in described.get("Range", {}).values():
            values = ends.get("Values") or [ends["MinValue"], ends["MaxValue"]]
            assert all(parse_value(option, value) is not None for value in values)
            if "MinValue" in ends:
                assert (parse_value(option, ends["MinValue"]), parse_value(option, ends["MaxValue"])) == (option.min, option.max)
        assert described["Type"] in {int: ("Integer", "FreeText"), float: ("Continuous", "FreeText")}.get(
            option.type, ("Categorical", "FreeText")
        )


def test_the_settings_of_the_models_can_be_tuned_and_have_a_range_and_nothing_else_can(document: dict[str, Any]) -> None:
    tunable = [one for one in document["TrainingSpecification"]["SupportedHyperParameters"] if one["IsTunable"]]
    assert {"ease_l2", "als_factors", "content_artist_weight"} <= {one["Name"] for one in tunable}
    assert all(one["Name"].startswith(MODELS) and "Range" in one for one in tunable)


def test_what_there_is_no_room_for_is_named_and_is_no_setting_of_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--describe"])
    printed = capsys.readouterr()
    described = {one["Name"] for one in json.loads(printed.out)["TrainingSpecification"]["SupportedHyperParameters"]}
    left_out = {option.name for option in wanted_first()} - described
    assert left_out >= set(OF_THE_MACHINE)
    assert not [name for name in left_out if name.startswith(tuple(f"{model}_" for model in MODELS))]
    assert printed.err.endswith(f"Left out: {', '.join(option.name for option in wanted_first()[100:])}.\n")


def test_the_channels_are_those_that_are_read() -> None:
    assert set(KINDS) == {*CHANNELS, MODEL}


def test_the_objectives_are_metrics_of_the_hybrid_that_the_settings_ask_for(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (base / "input" / "config").mkdir(parents=True)
    (base / "input" / "config" / "hyperparameters.json").write_text('{"evaluation_k": "[7]"}')
    assert main(["--describe"]) == 0
    training = json.loads(capsys.readouterr().out)["TrainingSpecification"]
    metrics = {one["Name"] for one in training["MetricDefinitions"]}
    objectives = {one["MetricName"]: one["Type"] for one in training["SupportedTuningJobObjectiveMetrics"]}
    assert objectives.keys() <= metrics
    assert (objectives["hybrid:recall_at_7"], objectives["hybrid:gini_at_7"]) == ("Maximize", "Minimize")
    assert not [name for name in objectives if not name.startswith("hybrid:") or "popularity_lift" in name]


def test_wrong_settings_are_told_and_nothing_is_described(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (base / "input" / "config").mkdir(parents=True)
    (base / "input" / "config" / "hyperparameters.json").write_text('{"ease_l2": "-1"}')
    assert main(["--describe"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith('Correct the hyperparameter: ease_l2="-1"')
    assert not (base / "output").exists()

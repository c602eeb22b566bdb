"""Where SageMaker puts things in a training container, each path spelled once. ``SAGEMAKER_BASE_DIR`` moves them all.

input/config/hyperparameters.json  inputdataconfig.json  resourceconfig.json  checkpointconfig.json      any of them may be missing
input/data/<channel>/…                      or, in Pipe mode, the pipe <channel>_0
model/  output/data/  output/failure  checkpoints/
models/<name>/model/                             of a multi-model endpoint, instead of model/
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

BASE_DIR_VARIABLE = "SAGEMAKER_BASE_DIR"
DEFAULT_BASE_DIR = "/opt/ml"


class SettingsError(Exception):
    """The user's mistake in how the job was set up. The message says what to do."""


def base_dir() -> Path:
    """Returns the folder that everything is in: ``/opt/ml``, unless the variable names another."""
    return Path(os.environ.get(BASE_DIR_VARIABLE) or DEFAULT_BASE_DIR)


def model_dir() -> Path:
    """Returns where the model goes; what is there when the job ends becomes ``model.tar.gz``, even if it was stopped."""
    return base_dir() / "model"


def models_dir() -> Path:
    """Returns where the models of a multi-model endpoint lie, each in a folder of its own."""
    return base_dir() / "models"


def output_data_dir() -> Path:
    """Returns where reports go; it becomes ``output.tar.gz``."""
    return base_dir() / "output" / "data"


def failure_file() -> Path:
    """Returns the file whose first 1024 characters become the job's ``FailureReason``."""
    return base_dir() / "output" / "failure"


def checkpoint_dir() -> Path | None:
    """Returns the folder that the platform copies to S3 while the job runs, and back when it starts again: ``LocalPath`` of
    ``checkpointconfig.json``, or else ``checkpoints``, if that is there; None where the job keeps none."""
    local = _config("checkpointconfig.json").get("LocalPath")
    if not local:
        folder = base_dir() / "checkpoints"
        return folder if folder.is_dir() else None
    path = Path(str(local))
    return base_dir() / path.relative_to(DEFAULT_BASE_DIR) if path.is_relative_to(DEFAULT_BASE_DIR) else path


def hyperparameters() -> dict[str, Any]:
    """Returns the hyperparameters as they came; empty if there is no file."""
    return _config("hyperparameters.json")


def resource_config() -> dict[str, Any]:
    """Returns who takes part in the job; empty if there is no file. Older documents spell it ``resourceConfig.json``."""
    return _config("resourceconfig.json") or _config("resourceConfig.json")


def input_data_config() -> dict[str, Any]:
    """Returns how each channel is delivered; empty if there is no file."""
    return _config("inputdataconfig.json")


def _config(name: str) -> dict[str, Any]:
    path = base_dir() / "input" / "config" / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"Correct {path}: it is not valid JSON ({error}).") from None
    if not isinstance(content, dict):
        raise SettingsError(f'Correct {path}: it must hold a JSON object such as {{"seed": "42"}}, not a {type(content).__name__}.')
    return content

"""The channels of a training job: folders in File and FastFile mode, pipes in Pipe mode. What the platform says of them is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from container import paths
from container.paths import SettingsError
from training.data.pipe_channel import PipeChannel

# What a description of a channel may say, the default first. The names on the right are those of the job's request.
CHOICES = {
    "TrainingInputMode": ("TrainingInputMode", ("File", "FastFile", "Pipe")),
    "S3DistributionType": ("S3DataDistributionType", ("FullyReplicated", "ShardedByS3Key")),
    "RecordWrapperType": ("RecordWrapperType", ("None", "RecordIO")),
}
FIRST_EPOCH = 0  # the data is read once


def channels() -> dict[str, Path | PipeChannel]:
    """Returns the folder or pipe of each channel, by name: those of ``inputdataconfig.json``, or else every folder of ``input/data``.

    A channel whose folder is missing is left out, unless it is spread over the hosts: then this one's part may be empty.
    Raises ``SettingsError`` for a description that contradicts itself or says something unknown.
    """
    data_dir = paths.base_dir() / "input" / "data"
    described = paths.input_data_config()
    if not described:
        found = sorted(folder for folder in data_dir.iterdir() if folder.is_dir()) if data_dir.is_dir() else []
        return {folder.name: folder for folder in found if not folder.name.startswith(".")}
    result: dict[str, Path | PipeChannel] = {}
    for name, description in described.items():
        checked = _checked(name, description)
        folder = data_dir / name
        if checked["TrainingInputMode"] == "Pipe":
            pipe = data_dir / f"{name}_{FIRST_EPOCH}"
            result[name] = PipeChannel(name, pipe, checked["RecordWrapperType"], str(description.get("ContentType") or ""))
        elif not name.startswith(".") and (folder.is_dir() or checked["S3DistributionType"] == "ShardedByS3Key"):
            result[name] = folder
    return result


def sharded_channels() -> tuple[str, ...]:
    """Returns the names of the channels of which each host gets a part of the files, and some hosts maybe none."""
    return tuple(name for name, how in paths.input_data_config().items() if _checked(name, how)["S3DistributionType"] == "ShardedByS3Key")


def size_of(channels: Mapping[str, Path | PipeChannel]) -> int:
    """Returns the bytes of all files in the channels; a pipe does not tell how much will come, and counts as nothing."""
    folders = [path for path in channels.values() if isinstance(path, Path)]
    return sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())


def _checked(name: str, description: Any) -> dict[str, str]:
    """The choices of a description, defaults filled in."""
    if not isinstance(description, dict):
        raise SettingsError(f"Correct inputdataconfig.json: the channel '{name}' must be a JSON object, not {description!r}.")
    values = {}
    for key, (setting, choices) in CHOICES.items():
        values[key] = str(description.get(key) or choices[0])
        if values[key] not in choices:
            raise SettingsError(f"Set {setting} of the channel '{name}' to {' or '.join(choices)}: '{values[key]}' is not known.")
    if values["RecordWrapperType"] == "RecordIO" and values["TrainingInputMode"] != "Pipe":
        raise SettingsError(
            f"Set RecordWrapperType of the channel '{name}' to None, or its TrainingInputMode to Pipe: RecordIO exists in pipes only, and "
            f"the channel is in {values['TrainingInputMode']} mode."
        )
    return values

"""The channels of a training job: folders in File and FastFile mode, pipes in Pipe mode. What the platform says of them is checked here."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from container import paths
from container.paths import SettingsError
from training.channels import KINDS, ChannelKind
from training.data.pipe_channel import PipeChannel
from training.hyperparameter_values import shown

# What a description of a channel may say, the default first. The names on the right are those of the job's request.
CHOICES = {
    "TrainingInputMode": ("TrainingInputMode", ("File", "FastFile", "Pipe")),
    "S3DistributionType": ("S3DataDistributionType", ("FullyReplicated", "ShardedByS3Key")),
    "RecordWrapperType": ("RecordWrapperType", ("None", "RecordIO")),
}
MAX_CHANNELS, NAME = 20, re.compile(r"[A-Za-z0-9._-]{1,64}")
CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")
FIRST_EPOCH = 0  # the data is read once


def channels() -> dict[str, Path | PipeChannel]:
    """Returns the folder or pipe of each channel, by name: those of ``inputdataconfig.json``, or else every folder of ``input/data``.

    A channel whose folder is missing is left out, unless it is spread over the hosts: then this one's part may be empty.
    Raises ``SettingsError`` that has everything that is wrong with the descriptions; no data are looked at.
    """
    data_dir = paths.base_dir() / "input" / "data"
    described = _describe()
    if not described:
        found = sorted(folder for folder in data_dir.iterdir() if folder.is_dir()) if data_dir.is_dir() else []
        return {folder.name: folder for folder in found if not folder.name.startswith(".")}
    result: dict[str, Path | PipeChannel] = {}
    for name, description in described.items():
        folder = data_dir / name
        if description["TrainingInputMode"] == "Pipe":
            pipe = data_dir / f"{name}_{FIRST_EPOCH}"
            result[name] = PipeChannel(name, pipe, description["RecordWrapperType"], str(description.get("ContentType") or ""))
        elif not name.startswith(".") and (folder.is_dir() or description["S3DistributionType"] == "ShardedByS3Key"):
            result[name] = folder
    return result


def sharded_channels() -> tuple[str, ...]:
    """Returns the names of the channels of which each host gets a part of the files, and some hosts maybe none."""
    return tuple(name for name, description in _describe().items() if description["S3DistributionType"] == "ShardedByS3Key")


def size_of(channels: Mapping[str, Path | PipeChannel]) -> int:
    """Returns the bytes of all files in the channels; a pipe does not tell how much will come, and counts as nothing."""
    folders = [path for path in channels.values() if isinstance(path, Path)]
    return sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())


def _describe() -> dict[str, dict[str, Any]]:
    """Returns the checked descriptions of ``inputdataconfig.json``, defaults filled in."""
    described = paths.input_data_config()
    if mistakes := description_mistakes(described):
        raise SettingsError(together(mistakes))
    return {name: {**description, **_choices(description)} for name, description in described.items()}


def together(mistakes: Sequence[str]) -> str:
    """Returns one text of several sentences, each of which says what to do."""
    if len(mistakes) == 1:
        return mistakes[0]
    return f"Correct {len(mistakes)} things about the channels: " + " ".join(f"({i}) {one}" for i, one in enumerate(mistakes, 1))


def description_mistakes(described: Mapping[str, Any]) -> list[str]:
    """Returns a sentence for everything in ``inputdataconfig.json`` that is unknown, contradicts itself, or cannot be read: what each
    channel holds, in which mode it comes, in which frames. Of channels that training does not read, only the form is judged."""
    mistakes = [mistake for name, description in described.items() for mistake in _mistakes_of(name, description)]
    if len(described) > MAX_CHANNELS:
        mistakes.append(f"Leave channels out: there are {len(described)}, and a job has at most {MAX_CHANNELS}.")
    teaching = [kind.name for kind in KINDS.values() if kind.teaches]
    if described and not set(described) & set(teaching):
        mistakes.append(f"Add the channel {' or '.join(teaching)}: there is only {', '.join(sorted(described))}.")
    return mistakes


def _mistakes_of(name: str, description: Any) -> list[str]:
    mistakes = []
    if not NAME.fullmatch(name):
        mistakes.append(f"Rename the channel {shown(name)}: letters, digits, '.', '_' and '-' are allowed, at most 64 of them.")
    if not isinstance(description, dict):
        return [*mistakes, f"Correct inputdataconfig.json: the channel '{name}' must be a JSON object, not {description!r}."]
    chosen = _choices(description)
    for key, (setting, choices) in CHOICES.items():
        if chosen[key] not in choices:
            mistakes.append(f"Set {setting} of the channel '{name}' to {' or '.join(choices)}: '{chosen[key]}' is not known.")
    mode = chosen["TrainingInputMode"]
    if chosen["RecordWrapperType"] == "RecordIO" and mode in ("File", "FastFile"):
        mistakes.append(
            f"Set RecordWrapperType of the channel '{name}' to None, or its TrainingInputMode to Pipe: RecordIO exists in pipes only, and "
            f"the channel is in {mode} mode."
        )
    if name in KINDS:
        mistakes += _content_mistakes(KINDS[name], str(description.get("ContentType") or ""), mode)
    return mistakes


def _content_mistakes(kind: ChannelKind, content_type: str, mode: str) -> list[str]:
    """What is wrong with what a channel holds. A type may have parameters (``text/csv; charset=utf-8``); without one the data tell."""
    mistakes = []
    essence, *rest = (part.strip() for part in content_type.lower().split(";"))
    charset = next((value.strip('" ') for key, _, value in (part.partition("=") for part in rest) if key.strip() == "charset"), "utf-8")
    of = f"of the channel '{kind.name}'"
    if essence and essence not in kind.content_types:
        near = difflib.get_close_matches(essence, kind.content_types, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        mistakes.append(
            f"Set ContentType {of} to one of {', '.join(kind.content_types)}, or leave it out: {shown(essence)} is not read{hint}."
        )
    elif mode == "Pipe" and kind.streams and essence and essence not in kind.streams:
        mistakes.append(f"Set TrainingInputMode {of} to File or FastFile: {essence} can't be read from a pipe.")
    if charset not in CHARSETS:
        mistakes.append(f"Save the files {of} as UTF-8, and say so in its ContentType: the charset {shown(charset)} is not read.")
    if mode == "Pipe" and not kind.streams:
        mistakes.append(f"Set TrainingInputMode {of} to File or FastFile: it can't be read from a pipe.")
    return mistakes


def _choices(description: Mapping[str, Any]) -> dict[str, str]:
    """The choices of a description, defaults filled in."""
    return {key: str(description.get(key) or choices[0]) for key, (_, choices) in CHOICES.items()}

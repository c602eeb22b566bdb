"""An /opt/ml as the platform makes it for one host of a training job, or for a server."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.pipes import Pipe
from tests.conformance.subject_folder import Subject

CHECKPOINTS = {"LocalPath": "/opt/ml/checkpoints"}


@dataclass
class OptMl:
    """``base``: the folder that is /opt/ml. Where a container may write, any user may."""

    base: Path
    subject: Subject
    pipes: list[Pipe] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.base.mkdir(parents=True, exist_ok=True)
        self.base.chmod(0o755)
        for name in ("input/config", "input/data"):
            (self.base / name).mkdir(parents=True, exist_ok=True)
        for name in ("model", "output", "output/data"):
            self.writable(name)

    def writable(self, name: str) -> Path:
        folder = self.base / name
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        return folder

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def output_data(self) -> Path:
        return self.base / "output" / "data"

    @property
    def checkpoints(self) -> Path:
        return self.base / "checkpoints"

    @property
    def data(self) -> Path:
        return self.base / "input" / "data"

    @property
    def failure(self) -> str | None:
        """What the failure file says; None without one."""
        path = self.base / "output" / "failure"
        return path.read_text(encoding="utf-8") if path.exists() else None

    def config(self, name: str, content: Any) -> None:
        """Writes a file of input/config: text as it is, anything else as JSON."""
        text = content if isinstance(content, str) else json.dumps(content)
        (self.base / "input" / "config" / name).write_text(text, encoding="utf-8")

    def hyperparameters(self, more: Mapping[str, str] = {}) -> None:
        """Those of the subject, and ``more``, as strings."""
        self.config("hyperparameters.json", {**self.subject.hyperparameters, **more})

    def channel(self, name: str, files: Sequence[Path] | None = None, *, packed: bool = False) -> Path:
        """Copies the subject's files of a channel, or those of ``files`` (relative paths), possibly gzipped. Returns the folder."""
        folder = self.data / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in self.subject.files(name) if files is None else files:
            target, content = folder / file, (self.subject.data / name / file).read_bytes()
            target.parent.mkdir(parents=True, exist_ok=True)
            if packed:
                target.with_name(target.name + ".gz").write_bytes(gzip.compress(content, mtime=0))
            else:
                target.write_bytes(content)
        return folder

    def pipe(self, name: str, **how: Any) -> Pipe:
        """Makes the FIFO of epoch 0 of a channel; those of later epochs come when the one before has been closed."""
        made = Pipe(self.data / name, [self.subject.data / name / file for file in self.subject.files(name)], **how)
        self.pipes.append(made)
        return made

    def resources(self, current: str, hosts: Sequence[str], interface: str = "eth0", **more: Any) -> dict[str, Any]:
        """Writes resourceconfig.json, with the keys that the platform has today. Returns what it says."""
        groups = [{"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.xlarge", "hosts": sorted(hosts)}]
        content = {
            "current_host": current,
            "hosts": sorted(hosts),
            "network_interface_name": interface,
            "current_instance_type": "ml.m5.xlarge",
            "current_group_name": "homogeneousCluster",
            "instance_groups": groups,
            **more,
        }
        self.config("resourceconfig.json", content)
        return content

    def keep_checkpoints(self) -> Path:
        self.config("checkpointconfig.json", CHECKPOINTS)
        return self.writable("checkpoints")

    def end(self) -> None:
        for pipe in self.pipes:
            pipe.end()
        shutil.rmtree(self.base, ignore_errors=True)


def training_job(
    base: Path,
    subject: Subject,
    hyperparameters: Mapping[str, str] = {},
    *,
    without: Collection[str] = (),
    channels: Mapping[str, Mapping[str, str]] = {},
    copied: Callable[[OptMl, str], object] | None = None,
) -> OptMl:
    """Returns the /opt/ml of a job on one host that is called algo-1.

    ``without``: channels that the job does not have. ``channels``: what is to be different in the descriptions of channels (and
    descriptions of further ones). ``copied``: puts a channel there, in place of a copy of the subject's folder.
    """
    made = OptMl(base, subject)
    made.hyperparameters(hyperparameters)
    described = {name: dict(one) for name, one in subject.channels.items() if name not in without}
    for name, one in channels.items():
        described[name] = {**described.get(name, {}), **one}
    made.config("inputdataconfig.json", described)
    made.resources("algo-1", ["algo-1"])
    for name in described:
        if copied is not None:
            copied(made, name)
        elif (subject.data / name).is_dir():
            made.channel(name)
    return made


def contents(folder: Path, ignored: Collection[str] = ()) -> dict[str, Any]:
    """Returns all files below a folder by their relative paths: bytes, or, where a part of a JSON file is ignored, the rest of it.

    ``ignored``: files, and parts of JSON files as ``file.json#/path/to/it``.
    """
    found: dict[str, Any] = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    for name, _, place in (one.partition("#/") for one in ignored):
        if name not in found:
            continue
        if not place:
            del found[name]
            continue
        document = json.loads(found[name]) if isinstance(found[name], bytes) else found[name]
        *above, last = place.split("/")
        holder = document
        for key in above:
            holder = holder.get(key, {})
        holder.pop(last, None)
        found[name] = document
    return found

"""The folder that says what a container is trained and asked with: see README.md beside the folder ``subject``."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Body:
    """A file that is sent as the body of a request."""

    path: Path
    content_type: str
    times: int = 1

    @property
    def content(self) -> bytes:
        content = self.path.read_bytes()
        return content if self.times == 1 else (content.removesuffix(b"\n") + b"\n") * self.times

    def __str__(self) -> str:
        return self.path.name


@dataclass(frozen=True)
class Subject:
    """``folder``: input/config and input/data as they lie below /opt/ml, requests/, requests/bad/, batch/ and subject.json."""

    folder: Path
    facts: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Subject:
        return cls(folder, json.loads((folder / "subject.json").read_text(encoding="utf-8")))

    @property
    def training(self) -> dict[str, Any]:
        return dict(self.facts["training"])

    @property
    def serving(self) -> dict[str, Any]:
        return dict(self.facts["serving"])

    @property
    def differs(self) -> list[str]:
        """What of the model folder may differ between two trainings with the same input: files, or, as ``file.json#/path/to/it``, parts
        of one."""
        return list(self.training["differs"])

    @property
    def differs_by_delivery(self) -> list[str]:
        """What may differ, too, where the same data came in other files or in another way."""
        return self.differs + list(self.training["differs_by_delivery"])

    @property
    def data(self) -> Path:
        return self.folder / "input" / "data"

    @property
    def hyperparameters(self) -> dict[str, str]:
        return self._config("hyperparameters.json")

    @property
    def channels(self) -> dict[str, dict[str, str]]:
        """What inputdataconfig.json says of each channel."""
        return self._config("inputdataconfig.json")

    @property
    def requests(self) -> list[Body]:
        """Bodies that are answered with 200."""
        return self._bodies("requests")

    @property
    def long_request(self) -> Body:
        """A body that keeps a worker busy for about a second."""
        how = self.serving["long"]
        return replace(next(body for body in self.requests if body.path.name == how["file"]), times=how["times"])

    @property
    def json_request(self) -> Body:
        """The first request that is a JSON document, which may therefore have any number of blanks around it."""
        return next(body for body in self.requests if body.content_type == "application/json")

    @property
    def bad_requests(self) -> list[Body]:
        """Bodies that are refused with 4xx."""
        return self._bodies("requests/bad")

    @property
    def batches(self) -> list[Body]:
        """Files for batch transform, one record to a line."""
        return self._bodies("batch")

    def files(self, channel: str) -> list[Path]:
        """The files of a channel in the order of their names, as S3 lists them; paths relative to the channel's folder."""
        folder = self.data / channel
        return sorted((path.relative_to(folder) for path in folder.rglob("*") if path.is_file()), key=str)

    def _config(self, name: str) -> Any:
        path = self.folder / "input" / "config" / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def _bodies(self, place: str) -> list[Body]:
        types = self.facts["content_types"]
        found = sorted(path for path in (self.folder / place).glob("*") if path.is_file())
        assert all(path.suffix in types for path in found), f"subject.json: content_types lacks one of {[path.suffix for path in found]}"
        return [Body(path, types[path.suffix]) for path in found]

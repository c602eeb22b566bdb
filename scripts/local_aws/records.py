"""What the local SageMaker remembers: one description for each job, model and endpoint, in the form that its Describe operation answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.local_aws import service_model
from scripts.local_aws.errors import ApiError, invalid

DEFAULT_PAGE = 100


class Records:
    """All of one kind, such as ``TrainingJob``, by name. Times are seconds since 1970. Every method may be called by any thread."""

    def __init__(self, kind: str, region: str, account: str, summaries: str, path: Path | None) -> None:
        """``summaries``: the member of the List operation's answer that holds them. ``path``: the file that outlives us, if any."""
        self.kind, self.summaries = kind, summaries
        self._arn = f"arn:aws:sagemaker:{region}:{account}:{_dashed(kind)}"
        self._path = path
        self._lock = threading.RLock()
        self._all: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            self._all = json.loads(path.read_text(encoding="utf-8"))

    def arn(self, name: str) -> str:
        return f"{self._arn}/{name}"

    def names(self) -> list[str]:
        with self._lock:
            return list(self._all)

    def create(self, name: str, facts: Mapping[str, Any]) -> str:
        """Keeps a new one and returns its ARN. Raises ``ApiError`` if there is one of this name."""
        arn, now = self.arn(name), time.time()
        with self._lock:
            if name in self._all and "Job" in self.kind:
                raise ApiError("ResourceInUse", f"Job name must be unique within an AWS account and region, and {arn} already exists.")
            if name in self._all:
                raise invalid(f'Cannot create already existing {_spaced(self.kind)} "{arn}".')
            times = {"CreationTime": now, "LastModifiedTime": now}
            self._all[name] = {f"{self.kind}Name": name, f"{self.kind}Arn": arn, **times, **facts}
            self._save()
        return arn

    def get(self, name: str) -> dict[str, Any]:
        """Returns a copy of everything that is known of one, tags too. Raises ``ApiError`` if there is none."""
        with self._lock:
            if name not in self._all:
                if "Job" in self.kind:
                    raise invalid(f"Requested resource not found: {self.arn(name)}.")
                raise invalid(f'Could not find {_spaced(self.kind)} "{self.arn(name)}".')
            return dict(json.loads(json.dumps(self._all[name])))

    def describe(self, name: str) -> dict[str, Any]:
        """Returns what the Describe operation answers."""
        members = service_model.members_of(f"Describe{self.kind}")
        return {key: value for key, value in self.get(name).items() if key in members}

    def change(self, name: str, **facts: Any) -> None:
        """Sets facts; None takes one away. One that has been deleted meanwhile stays so."""
        with self._lock:
            if name in self._all:
                merged = {**self._all[name], "LastModifiedTime": time.time(), **facts}
                self._all[name] = {key: value for key, value in merged.items() if value is not None}
                self._save()

    def delete(self, name: str) -> None:
        with self._lock:
            self.get(name)
            del self._all[name]
            self._save()

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what the List operation answers: filtered, sorted and cut into pages as the request says."""
        operation = f"List{self.kind}s"
        with self._lock:
            found = [self.get(name) for name in self._all]
        found = [one for one in found if self._wanted(one, request)]
        key = {"Name": f"{self.kind}Name", "Status": f"{self.kind}Status"}.get(request.get("SortBy", ""), "CreationTime")
        found.sort(key=lambda one: one[key], reverse=request.get("SortOrder", "Descending") != "Ascending")
        token = request.get("NextToken") or "0"
        if not token.isdecimal():
            raise invalid("The NextToken is none that was handed out.")
        begin = int(token)
        end = begin + request.get("MaxResults", DEFAULT_PAGE)
        members = service_model.members_of(operation, self.summaries)
        page: dict[str, Any] = {
            self.summaries: [{name: value for name, value in one.items() if name in members} for one in found[begin:end]]
        }
        return page | ({"NextToken": str(end)} if end < len(found) else {})

    def _wanted(self, one: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
        return (
            request.get("NameContains", "").lower() in one[f"{self.kind}Name"].lower()
            and request.get("StatusEquals") in (None, one.get(f"{self.kind}Status"))
            and one["CreationTime"] >= request.get("CreationTimeAfter", 0)
            and one["CreationTime"] <= request.get("CreationTimeBefore", float("inf"))
            and one["LastModifiedTime"] >= request.get("LastModifiedTimeAfter", 0)
            and one["LastModifiedTime"] <= request.get("LastModifiedTimeBefore", float("inf"))
        )

    def _save(self) -> None:
        if self._path is not None:
            partial = self._path.with_suffix(".partial")
            partial.write_text(json.dumps(self._all, indent=1), encoding="utf-8")
            partial.replace(self._path)


def _words(kind: str) -> list[str]:
    return "".join(f" {letter}" if letter.isupper() else letter for letter in kind).lower().split()


def _dashed(kind: str) -> str:
    return "-".join(_words(kind))


def _spaced(kind: str) -> str:
    return " ".join(_words(kind)).replace("endpoint config", "endpoint configuration")

"""Tags of whatever has an ARN: ``AddTags``, ``ListTags``, ``DeleteTags``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scripts.local_aws.errors import invalid
from scripts.local_aws.records import Records


class Tags:
    """The tags lie with the records that they belong to, under ``Tags``."""

    def __init__(self, kinds: Iterable[Records]) -> None:
        self._kinds = list(kinds)

    def add(self, request: Mapping[str, Any]) -> dict[str, Any]:
        records, name = self._find(request["ResourceArn"])
        added = {tag["Key"] for tag in request["Tags"]}
        kept = [tag for tag in records.get(name).get("Tags", []) if tag["Key"] not in added]
        records.change(name, Tags=[*kept, *request["Tags"]])
        return {"Tags": [*kept, *request["Tags"]]}

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        records, name = self._find(request["ResourceArn"])
        return {"Tags": records.get(name).get("Tags", [])}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        records, name = self._find(request["ResourceArn"])
        records.change(name, Tags=[tag for tag in records.get(name).get("Tags", []) if tag["Key"] not in request["TagKeys"]])
        return {}

    def _find(self, arn: str) -> tuple[Records, str]:
        name = arn.rpartition("/")[2]
        for records in self._kinds:
            if arn == records.arn(name) and name in records.names():
                return records, name
        raise invalid(f"Requested resource not found: {arn}.")

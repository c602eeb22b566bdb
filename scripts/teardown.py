"""Deletes an endpoint with everything that was made for it: its configurations and its models, also those of earlier updates.

    scripts/teardown music               # says what there is, asks, deletes it
    scripts/teardown music --dry-run     # says what there is
    scripts/teardown music --yes         # for scripts: does not ask

Models are resources of SageMaker here: model.tar.gz in S3 and training jobs stay. What is gone already is no error, so the command may be
repeated.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from scripts import aws
from scripts.aws_options import check_name
from scripts.command_line import CommandError, run

CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/teardown", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="name of the endpoint, or of a transform job whose model was left")
    parser.add_argument("--yes", action="store_true", help="does not ask")
    parser.add_argument("--dry-run", action="store_true", help="deletes nothing")
    parser.add_argument("--region", help="AWS region")
    return parser.parse_args(arguments)


@dataclass(frozen=True)
class Found:
    """What there is of a name, in the order in which it has to be deleted."""

    endpoint: str | None
    configs: tuple[str, ...]
    models: tuple[str, ...]

    def lines(self) -> list[str]:
        endpoint = [f"endpoint {self.endpoint}"] if self.endpoint else []
        return [*endpoint, *(f"configuration {name}" for name in self.configs), *(f"model {name}" for name in self.models)]


def find(sagemaker: Any, name: str) -> Found:
    """Returns what the endpoint has now, and what scripts/deploy_endpoint called after it: ``name`` or ``name-DATE-TIME``."""
    endpoint = _unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=name))
    # Of a long name a part stands in those names, which may be that of another endpoint, too: then only what it refers to counts.
    dated = rf"|{re.escape(name)}-\d{{8}}-\d{{6,9}}(-[bs])?" if aws.clean_prefix(name) == name else ""
    ours = re.compile(re.escape(name) + dated)
    listed = _names(sagemaker, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", name)
    configs = {one for one in listed if ours.fullmatch(one)} | ({endpoint["EndpointConfigName"]} if endpoint else set())
    listed = _names(sagemaker, "list_models", "Models", "ModelName", name)
    models = {one for one in listed if ours.fullmatch(one)}
    there = set()
    for config in configs:
        described = _unless_missing(partial(sagemaker.describe_endpoint_config, EndpointConfigName=config))
        if described:
            there.add(config)
            variants = [*described["ProductionVariants"], *described.get("ShadowProductionVariants", [])]
            models |= {variant["ModelName"] for variant in variants if "ModelName" in variant}
    return Found(name if endpoint else None, tuple(sorted(there)), tuple(sorted(models)))


def delete(sagemaker: Any, found: Found) -> None:
    """Deletes it, each with a line. An endpoint that is changing is waited for, since SageMaker does not delete it before."""
    if found.endpoint:
        name = found.endpoint
        _wait_while(sagemaker, name, CHANGING)
        _delete(f"endpoint {name}", lambda: sagemaker.delete_endpoint(EndpointName=name))
        _wait_while(sagemaker, name, ("Deleting",))
    for config in found.configs:
        _delete(f"configuration {config}", partial(sagemaker.delete_endpoint_config, EndpointConfigName=config))
    for model in found.models:
        _delete(f"model {model}", partial(sagemaker.delete_model, ModelName=model))


def _delete(what: str, call: Callable[[], object]) -> None:
    try:
        call()
        print(f"deleted {what}", flush=True)
    except ClientError as error:
        if not aws.is_missing(error):
            raise
        print(f"{what} was gone already", flush=True)


def _wait_while(sagemaker: Any, name: str, statuses: Sequence[str]) -> None:
    gone = {"EndpointStatus": "gone"}
    if _status(sagemaker, name) in statuses:
        aws.wait(
            lambda: _unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=name)) or gone,
            lambda answer: str(answer["EndpointStatus"]),
            lambda status: status in statuses,
        )


def _status(sagemaker: Any, name: str) -> str:
    return str((_unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=name)) or {"EndpointStatus": "gone"})["EndpointStatus"])


def _unless_missing(describe: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return dict(describe())
    except ClientError as error:
        if aws.is_missing(error):
            return None
        raise


def _names(sagemaker: Any, operation: str, member: str, key: str, contains: str) -> Iterator[str]:
    for page in sagemaker.get_paginator(operation).paginate(NameContains=aws.clean_prefix(contains)):
        yield from (one[key] for one in page[member])


def agreed() -> bool:
    """Asks the person at the terminal. Raises ``CommandError`` where there is none."""
    if not sys.stdin.isatty():
        raise CommandError("nobody can be asked here: give --yes to delete this")
    return input("delete all this? [y/N] ").strip().lower() in ("y", "yes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when it is gone, 1 when the person said no; raises ``CommandError``."""
    options = parse_arguments(arguments)
    check_name(options.name, "the name")
    with aws.readable_errors():
        sagemaker = aws.client("sagemaker", options.region)
        found = find(sagemaker, options.name)
        if not found.lines():
            print(f"there is no endpoint, no configuration and no model {options.name}: nothing to delete")
            return 0
        for line in found.lines():
            print(f"{'would delete' if options.dry_run else 'to delete:'} {line}")
        if options.dry_run:
            return 0
        if not (options.yes or agreed()):
            print("nothing was deleted")
            return 1
        delete(sagemaker, found)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))

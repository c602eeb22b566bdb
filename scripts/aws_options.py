"""The options that every command has which starts something on AWS: tags, a network, a key."""

from __future__ import annotations

import argparse
import re
from typing import Any

from scripts.aws import tag_list
from scripts.command_line import CommandError, key_values

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
S3_ADDRESS = re.compile(r"s3://[a-z0-9.-]{3,63}(/.*)?")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
ROLE_FORM = "not a role's ARN like arn:aws:iam::123456789012:role/NAME"
S3_FORM = "not an address like s3://bucket/prefix"


def add_account_options(parser: argparse.ArgumentParser, network: bool = True) -> None:
    """Adds --region, --tag and --kms-key, and --subnet, --security-group and --network-isolation, which only some jobs can have."""
    group = parser.add_argument_group("account")
    group.add_argument("--region", help="AWS region")
    group.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE", help="may be given again")
    group.add_argument("--kms-key", metavar="KEY", help="id or ARN of the key that disks and results are encrypted with")
    if network:
        group.add_argument("--subnet", action="append", default=[], metavar="ID", help="a subnet of your VPC; may be given again")
        group.add_argument("--security-group", action="append", default=[], metavar="ID", help="with --subnet; may be given again")
        group.add_argument("--network-isolation", action="store_true", help="the container gets no network; it needs none")


def tags_of(options: argparse.Namespace) -> list[dict[str, str]]:
    """Returns ``Tags``. Raises ``CommandError`` for one that is no KEY=VALUE."""
    return tag_list(key_values(options.tag, "--tag"))


def vpc_of(options: argparse.Namespace) -> dict[str, Any]:
    """Returns ``{"VpcConfig": …}``, or nothing. Raises ``CommandError`` if only one of the two options is given, or an id is none."""
    if not options.subnet and not options.security_group:
        return {}
    if not options.subnet or not options.security_group:
        raise CommandError("a VPC needs both --subnet and --security-group")
    for option, prefix, ids in (("--subnet", "subnet-", options.subnet), ("--security-group", "sg-", options.security_group)):
        for one in ids:
            if not re.fullmatch(rf"{prefix}[0-9a-zA-Z]{{1,25}}", one):
                raise CommandError(f"{option} {one}: an id is like {prefix}0123456789abcdef0")
    return {"VpcConfig": {"Subnets": options.subnet, "SecurityGroupIds": options.security_group}}


def check_name(name: str, option: str) -> None:
    if not NAME.fullmatch(name):
        raise CommandError(f"{option} {name}: letters, digits and single hyphens inside, at most 63")


def check_s3(address: str, option: str) -> None:
    if not S3_ADDRESS.fullmatch(address):
        raise CommandError(f"{option} {address}: {S3_FORM}")


def check_role(role: str) -> None:
    if not ROLE.fullmatch(role):
        raise CommandError(f"--role {role}: {ROLE_FORM}")

"""What the commands that talk to AWS share: clients, readable errors, tags, names, and waiting for a status."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

from scripts.aws_advice import with_advice
from scripts.command_line import CommandError

LONGEST_PREFIX = 42  # a name has at most 63 characters, and some end in two more
POLL_SECONDS, LOCAL_POLL_SECONDS = 15.0, 0.5


def client(service: str, region: str | None = None, endpoint_url: str | None = None, config: Config | None = None) -> Any:
    """Returns a boto3 client. Raises ``CommandError`` when no region is known, or the address of the server is none."""
    with readable_errors():
        try:
            return boto3.client(service, region_name=region, endpoint_url=endpoint_url, config=config)
        except ValueError as error:
            raise CommandError(f"{error}: an address is like http://127.0.0.1:9000") from None


@contextlib.contextmanager
def readable_errors() -> Iterator[None]:
    """Turns what boto3 raises into one sentence for the person at the terminal."""
    try:
        yield
    except NoRegionError:
        raise CommandError("no AWS region is set: give --region, or set AWS_DEFAULT_REGION") from None
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise CommandError(f"{error}: run `aws configure`, or set AWS_PROFILE or the AWS_* variables") from None
    except ClientError as error:
        details = error.response.get("Error", {})
        raise CommandError(with_advice(f"AWS refused {error.operation_name}: {details.get('Code')}: {details.get('Message')}")) from error
    except Boto3Error as error:  # a transfer: its message names the file and the bucket
        raise CommandError(with_advice(str(error))) from error
    except BotoCoreError as error:
        raise CommandError(f"AWS could not be reached: {error}") from error


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))


def is_missing(error: ClientError) -> bool:
    """Returns whether SageMaker says that there is no such job, endpoint or model: it has no error class of its own for that."""
    message = str(error.response.get("Error", {}).get("Message"))
    said = re.search(r"could not find|not found|does not exist|couldn't find", message, re.IGNORECASE) is not None
    return error_code(error) in ("ResourceNotFound", "ResourceNotFoundException") or (error_code(error) == "ValidationException" and said)


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def unique_name(prefix: str) -> str:
    """Returns a name that SageMaker accepts and that sorts by time: ``prefix-20250131-235959123``, with milliseconds."""
    return f"{clean_prefix(prefix)}-{datetime.now(UTC):%Y%m%d-%H%M%S%f}"[:-3]


def clean_prefix(prefix: str) -> str:
    """Returns what stands before the time in a name of ``unique_name``."""
    return re.sub(r"[^A-Za-z0-9]+", "-", prefix).strip("-")[:LONGEST_PREFIX]


def wait(
    describe: Callable[[], dict[str, Any]],
    status_of: Callable[[dict[str, Any]], str],
    running: Callable[[str], bool],
    poll_seconds: float | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Polls until ``running`` says no, and prints every change of the status with the seconds since the start. Returns the last answer.

    ``meanwhile`` is called after each poll, also after the last: it may print, such as the lines of a log.
    """
    start, shown = time.monotonic(), ""
    while True:
        answer = describe()
        status = status_of(answer)
        if status != shown:
            print(f"{time.monotonic() - start:6.0f} s  {status}", flush=True)
            shown = status
        meanwhile()
        if not running(status):
            return answer
        time.sleep(_poll_seconds() if poll_seconds is None else poll_seconds)


def _poll_seconds() -> float:
    """A server on this machine (scripts/local_sagemaker) may be asked more often than AWS."""
    host = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname
    return LOCAL_POLL_SECONDS if host in ("127.0.0.1", "localhost") else POLL_SECONDS

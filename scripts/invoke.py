"""Asks a running model for recommendations, and prints them as a table.

    scripts/invoke --user u1 --explain                                     # a known listener, at http://127.0.0.1:8080
    scripts/invoke --items s1 s2 s3 --num 5                                # similar songs, or a new listener who names a few
    scripts/invoke --json '{"user_id": "u1", "candidates": ["s4", "s5"]}'  # any request
    scripts/invoke --file requests.jsonl --raw                             # a batch; by its ending .json, .jsonl or .csv
    scripts/invoke --user u1 --endpoint music --region eu-west-1           # an endpoint on AWS, through boto3
    scripts/invoke --user u1 --endpoint many --target-model a.tar.gz      # one of the models of a multi-model endpoint
    scripts/invoke --user u1 --endpoint music --endpoint-url http://127.0.0.1:8081   # the same client, at scripts/local_sagemaker

Ends with 0 for an answer, 1 when the model refuses, 2 when nobody can be asked.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from scripts import aws
from scripts.answer_table import describe_answer, read_catalogue
from scripts.command_line import CommandError, key_values, run

TIMEOUT_SECONDS = 70  # SageMaker gives a model 60
CONTENT_TYPES = {".json": "application/json", ".jsonl": "application/jsonlines", ".csv": "text/csv"}


@dataclass(frozen=True)
class Reply:
    """What came back: the status that the model gave, its body, and how long that took."""

    status: int
    body: bytes
    seconds: float


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/invoke", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    question = parser.add_argument_group("the question")
    question.add_argument("--user", metavar="ID", help="a listener")
    question.add_argument("--items", nargs="+", metavar="ID", help="seed songs")
    question.add_argument("--events", nargs="+", metavar="ID", help="songs just played")
    question.add_argument("--context", nargs="+", metavar="FIELD=VALUE", help="what the listener or playlist is called: name='road trip'")
    question.add_argument("--exclude", nargs="+", metavar="ID", help="songs to leave out")
    question.add_argument("--candidates", nargs="+", metavar="ID", help="ranks just these songs")
    question.add_argument("--num", type=int, metavar="N", help="how many songs (10)")
    question.add_argument("--explain", action="store_true", help="says why")
    question.add_argument("--json", metavar="TEXT", help="the whole request, in place of the options above")
    question.add_argument("--file", type=Path, metavar="PATH", help="the whole body: .json, .jsonl or .csv")
    place = parser.add_argument_group("whom to ask")
    place.add_argument("--url", default="http://127.0.0.1:8080", help="a server on this machine (%(default)s)")
    place.add_argument("--endpoint", metavar="NAME", help="a SageMaker endpoint, through boto3")
    place.add_argument("--endpoint-url", metavar="URL", help="with --endpoint: where it is, if not on AWS")
    place.add_argument("--region", help="with --endpoint: AWS region")
    place.add_argument("--target-model", metavar="NAME", help="with --endpoint: the model of a multi-model endpoint, as a.tar.gz")
    parser.add_argument("--accept", default=None, help="media type of the answer")
    parser.add_argument("--catalogue", type=Path, metavar="CSV", help="shows titles in place of ids")
    parser.add_argument("--raw", action="store_true", help="prints the answer as it came")
    return parser.parse_args(arguments)


def body_of(options: argparse.Namespace) -> tuple[bytes, str]:
    """Returns the body to send and its media type."""
    if options.file:
        if options.file.suffix not in CONTENT_TYPES:
            raise CommandError(f"--file {options.file}: the ending must be one of {', '.join(CONTENT_TYPES)}")
        try:
            return options.file.read_bytes(), CONTENT_TYPES[options.file.suffix]
        except OSError as error:
            raise CommandError(f"--file {options.file} cannot be read: {error.strerror}") from None
    if options.json is not None:
        return options.json.encode(), "application/json"
    lists = {name: _ids(getattr(options, name)) for name in ("items", "exclude", "candidates")}
    request = {
        "user_id": options.user,
        **lists,
        "events": [{"item_id": item} for item in _ids(options.events) or ()] or None,
        "context": key_values(options.context or [], "--context") or None,
        "num_recommendations": options.num,
        "explain": options.explain or None,
        "metadata": None if options.raw else True,
    }
    if not (options.user or options.items or options.events or options.context):
        raise CommandError("nothing to ask: give --user, --items, --events, --context, --json or --file")
    return json.dumps({name: value for name, value in request.items() if value is not None}).encode(), "application/json"


def _ids(words: list[str] | None) -> list[str] | None:
    """Returns the ids: each word is one, commas and all, for ids made of artist and title have them (*A,B - Hello, Goodbye*)."""
    return None if words is None else [word for word in words if word]


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def ask_server(url: str, body: bytes, content_type: str, accept: str | None) -> Reply:
    """Posts to ``/invocations`` of a server. Raises ``CommandError`` if there is none."""
    if not _is_address(url):
        raise CommandError(f"--url {url}: an address like http://127.0.0.1:8080 is needed")
    headers = {"Content-Type": content_type} | ({"Accept": accept} if accept else {})
    request = urllib.request.Request(f"{url.rstrip('/')}/invocations", body, headers, method="POST")
    start = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return Reply(response.status, response.read(), time.perf_counter() - start)
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.read(), time.perf_counter() - start)
    except (OSError, http.client.HTTPException) as error:
        raise CommandError(f"nobody answers at {url} ({error}): start one with scripts/serve MODEL") from None


def ask_endpoint(options: argparse.Namespace, body: bytes, content_type: str) -> Reply:
    """Invokes a SageMaker endpoint. A refusal of the model is a reply; Raises ``CommandError`` for one of AWS."""
    if options.endpoint_url is not None and not _is_address(options.endpoint_url):
        raise CommandError(f"--endpoint-url {options.endpoint_url}: an address like http://127.0.0.1:8081 is needed")
    local = urlsplit(options.endpoint_url or "").hostname in ("127.0.0.1", "localhost")
    config = Config(read_timeout=TIMEOUT_SECONDS, retries={"max_attempts": 0}, signature_version=UNSIGNED if local else None)
    client = aws.client("sagemaker-runtime", options.region or ("us-east-1" if local else None), options.endpoint_url, config)
    named = {"Accept": options.accept, "TargetModel": options.target_model}
    given = {name: value for name, value in named.items() if value}
    start = time.perf_counter()
    with aws.readable_errors():
        try:
            answer = client.invoke_endpoint(EndpointName=options.endpoint, Body=body, ContentType=content_type, **given)
            return Reply(200, answer["Body"].read(), time.perf_counter() - start)
        except ClientError as error:
            if aws.error_code(error) != "ModelError":
                raise
            message = str(error.response.get("OriginalMessage", ""))
            return Reply(int(error.response.get("OriginalStatusCode", 0)), message.encode(), time.perf_counter() - start)
        finally:
            client.close()


def refusal(reply: Reply) -> str:
    """Returns what the model said, from its JSON error body if it is one."""
    try:
        error = json.loads(reply.body)["error"]
        return f"the model refused ({reply.status} {error['code']}): {error['message']}"
    except (ValueError, KeyError, TypeError):
        return f"the model refused ({reply.status}): {reply.body.decode('utf-8', 'replace')[:500]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Asks, prints, and returns 0 for an answer, 1 for a refusal. Raises ``CommandError`` where nobody can be asked."""
    options = parse_arguments(arguments)
    if options.target_model and not options.endpoint:
        raise CommandError("--target-model is for --endpoint only")
    body, content_type = body_of(options)
    titles = read_catalogue(options.catalogue) if options.catalogue else {}
    if options.endpoint:
        reply = ask_endpoint(options, body, content_type)
    else:
        reply = ask_server(options.url, body, content_type, options.accept)
    if not 200 <= reply.status < 300:
        print(refusal(reply), file=sys.stderr)
        return 1
    print(reply.body.decode("utf-8", "replace") if options.raw else describe_answer(reply.body, titles))
    print(f"{1000 * reply.seconds:.1f} ms", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))

"""Answers the SageMaker Runtime API on loopback, in front of a server that runs `serve`: boto3 talks to it as to AWS.

    scripts/local_endpoint my-endpoint --upstream http://127.0.0.1:8080 --port 8081

    boto3.client("sagemaker-runtime", endpoint_url="http://127.0.0.1:8081", region_name="eu-west-1", …).invoke_endpoint(
        EndpointName="my-endpoint", Body=b'{"user_id": "u1"}', ContentType="application/json")

As the platform does, it takes `POST /endpoints/NAME/invocations`, refuses more than 6,291,456 bytes, hands on the headers of the API
and no others, and turns every answer of the container that is not a 2xx into a ModelError. Signatures are not checked: it is a
development tool, and listens on 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from scripts.command_line import CommandError, run

MAX_BODY_BYTES = 6_291_456
TIMEOUT_SECONDS = 60
VARIANT = "AllTraffic"
REQUEST_HEADERS = (
    "Content-Type",
    "Accept",
    "X-Amzn-SageMaker-Custom-Attributes",
    "X-Amzn-SageMaker-Target-Model",
    "X-Amzn-SageMaker-Target-Variant",
    "X-Amzn-SageMaker-Target-Container-Hostname",
    "X-Amzn-SageMaker-Inference-Id",
    "X-Amzn-SageMaker-Enable-Explanations",
    "X-Amzn-SageMaker-Session-Id",
)
ANSWER_HEADERS = (
    "Content-Type",
    "X-Amzn-SageMaker-Custom-Attributes",
    "X-Amzn-SageMaker-New-Session-Id",
    "X-Amzn-SageMaker-Closed-Session-Id",
)


class LocalEndpoint(ThreadingHTTPServer):
    """The front. ``port`` 0 takes a free one; ``server_address`` tells which; ``option`` is what sets it."""

    daemon_threads = True

    def __init__(self, name: str, upstream: str, port: int = 0, option: str = "--port") -> None:
        parts = urlsplit(upstream)
        if parts.scheme != "http" or not parts.hostname:
            raise CommandError(f"--upstream {upstream}: give the address of a local server, for example http://127.0.0.1:8080")
        self.endpoint_name = name
        self.upstream = (parts.hostname, parts.port or 80)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise CommandError(f"port {port} cannot be used ({error.strerror}): choose another with {option}") from None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is no event; anything else is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: LocalEndpoint
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: the second would wait 40 ms for the caller's acknowledgement

    def do_POST(self) -> None:
        body = self._read_body()
        match = re.fullmatch(r"/endpoints/([^/]+)/invocations", urlsplit(self.path).path)
        if body is None:
            self._refuse(400, "ValidationError", f"Request has oversize body: at most {MAX_BODY_BYTES} bytes are allowed.")
        elif match is None:
            self._refuse(404, "UnknownOperationException", "Only POST /endpoints/NAME/invocations is answered here.")
        elif unquote(match[1]) != self.server.endpoint_name:
            self._refuse(400, "ValidationError", f"Endpoint {unquote(match[1])} of account 000000000000 not found.")
        else:
            self._forward(body)

    def do_GET(self) -> None:
        self._refuse(404, "UnknownOperationException", "Only POST /endpoints/NAME/invocations is answered here.")

    def _read_body(self) -> bytes | None:
        """Returns the body, or None if it is too large; that one is read to its end, so that the caller can read the answer."""
        length = int(self.headers.get("Content-Length") or 0)
        if length <= MAX_BODY_BYTES:
            return self.rfile.read(length)
        while length > 0:
            length -= len(self.rfile.read(min(length, 1 << 20))) or length
        return None

    def _forward(self, body: bytes) -> None:
        headers = {name: self.headers[name] for name in REQUEST_HEADERS if name in self.headers}
        connection = http.client.HTTPConnection(*self.server.upstream, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", "/invocations", body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return self._model_error(0, f"{type(error).__name__}: the container did not answer within {TIMEOUT_SECONDS} s: {error}")
        finally:
            connection.close()
        if 200 <= answer.status < 300 and len(content) <= MAX_BODY_BYTES:
            handed_on = {name: answer.headers[name] for name in ANSWER_HEADERS if name in answer.headers}
            self._answer(200, content, {**handed_on, "x-Amzn-Invoked-Production-Variant": VARIANT})
        elif len(content) > MAX_BODY_BYTES:
            self._model_error(answer.status, f"the answer has {len(content)} bytes; at most {MAX_BODY_BYTES} are allowed")
        else:
            self._model_error(answer.status, content.decode("utf-8", "replace"))

    def _model_error(self, status: int, message: str) -> None:
        side = "client" if 400 <= status < 500 else "server"
        summary = f'Received {side} error ({status}) from {VARIANT} with message "{message}".'
        arn = f"arn:aws:logs:local:000000000000:log-group:/aws/sagemaker/Endpoints/{self.server.endpoint_name}"
        self._refuse(424, "ModelError", summary, OriginalStatusCode=status, OriginalMessage=message, LogStreamArn=arn)

    def _refuse(self, status: int, kind: str, message: str, **members: object) -> None:
        body = json.dumps({"ErrorCode": kind, "Message": message, **members}).encode()
        self._answer(status, body, {"Content-Type": "application/json", "x-amzn-ErrorType": kind})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        print(f"{time.strftime('%H:%M:%S')} {self.server.endpoint_name}: {format % arguments}", file=sys.stderr)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/local_endpoint", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="the name that invoke_endpoint is called with")
    parser.add_argument("--upstream", default="http://127.0.0.1:8080", help="where `serve` listens (%(default)s)")
    parser.add_argument("--port", type=int, default=8081, help="port on 127.0.0.1 (%(default)s)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    with LocalEndpoint(options.name, options.upstream, options.port) as endpoint:
        print(f"endpoint {options.name} answers at {endpoint.url}", file=sys.stderr)
        endpoint.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(run(main))

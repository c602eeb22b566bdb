"""boto3's real sagemaker-runtime client talks to the local endpoint, which stands before a container made up here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from scripts.command_line import CommandError
from scripts.local_endpoint import MAX_BODY_BYTES, LocalEndpoint


class Container(ThreadingHTTPServer):
    """Answers /invocations with what the test sets, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"{}", {"Content-Type": "application/json"}
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _ContainerHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _ContainerHandler(BaseHTTPRequestHandler):
    server: Container

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def container() -> Iterator[Container]:
    server = Container()
    with running(server):
        yield server


@pytest.fixture
def runtime(container: Container) -> Iterator[Any]:
    endpoint = LocalEndpoint("music", container.url)
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=endpoint.url,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"max_attempts": 0}),
    )
    with running(endpoint):
        yield client
        client.close()


def test_a_request_reaches_the_container_and_its_answer_comes_back(container: Container, runtime: Any) -> None:
    container.body = b'{"status": "success"}'
    answer = runtime.invoke_endpoint(EndpointName="music", Body=b'{"user_id": "u1"}', ContentType="application/json", Accept="text/csv")
    path, headers, body = container.seen[0]
    assert (path, body) == ("/invocations", b'{"user_id": "u1"}')
    assert (headers["content-type"], headers["accept"]) == ("application/json", "text/csv")
    assert answer["Body"].read() == b'{"status": "success"}'
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("application/json", "AllTraffic")


def test_attributes_and_the_inference_id_go_through_in_both_directions(container: Container, runtime: Any) -> None:
    container.headers["X-Amzn-SageMaker-Custom-Attributes"] = "model=7"
    answer = runtime.invoke_endpoint(EndpointName="music", Body=b"{}", CustomAttributes="trace=1", InferenceId="id-1")
    _, headers, _ = container.seen[0]
    assert headers["x-amzn-sagemaker-custom-attributes"] == "trace=1"
    assert headers["x-amzn-sagemaker-inference-id"] == "id-1"
    assert answer["CustomAttributes"] == "model=7"


def test_signatures_and_foreign_headers_do_not_reach_the_container(container: Container, runtime: Any) -> None:
    runtime.invoke_endpoint(EndpointName="music", Body=b"{}")
    _, headers, _ = container.seen[0]
    assert "authorization" not in headers
    assert "amz-sdk-invocation-id" not in headers


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (415, "client"), (500, "server"), (503, "server")])
def test_what_the_container_refuses_is_a_model_error_with_its_own_words(container: Container, runtime: Any, status: int, side: str) -> None:
    container.status = status
    container.body = json.dumps({"status": "error", "error": {"message": "naïve"}}).encode()
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="music", Body=b"{}")
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == status
    assert json.loads(response["OriginalMessage"])["error"]["message"] == "naïve"
    assert f"Received {side} error ({status}) from AllTraffic" in response["Error"]["Message"]
    assert response["LogStreamArn"].endswith("/aws/sagemaker/Endpoints/music")


def test_an_unknown_endpoint_is_a_validation_error(container: Container, runtime: Any) -> None:
    with pytest.raises(ClientError, match="Endpoint other of account 000000000000 not found") as caught:
        runtime.invoke_endpoint(EndpointName="other", Body=b"{}")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert container.seen == []


def test_a_body_of_the_limit_passes_and_one_byte_more_does_not(container: Container, runtime: Any) -> None:
    runtime.invoke_endpoint(EndpointName="music", Body=b"x" * MAX_BODY_BYTES)
    assert len(container.seen[0][2]) == MAX_BODY_BYTES
    with pytest.raises(ClientError, match="oversize body") as caught:
        runtime.invoke_endpoint(EndpointName="music", Body=b"x" * (MAX_BODY_BYTES + 1))
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert len(container.seen) == 1


def test_an_answer_over_the_limit_is_a_model_error(container: Container, runtime: Any) -> None:
    container.body = b"x" * (MAX_BODY_BYTES + 1)
    with pytest.raises(runtime.exceptions.ModelError, match="6291457 bytes"):
        runtime.invoke_endpoint(EndpointName="music", Body=b"{}")


def test_a_container_that_is_gone_is_a_model_error(container: Container, runtime: Any) -> None:
    container.shutdown()
    container.server_close()
    with pytest.raises(runtime.exceptions.ModelError, match="did not answer"):
        runtime.invoke_endpoint(EndpointName="music", Body=b"{}")


def test_a_port_in_use_is_reported_with_what_to_do(container: Container) -> None:
    with pytest.raises(CommandError, match="choose another with --port"):
        LocalEndpoint("music", container.url, container.server_address[1])


def test_an_upstream_that_is_no_local_address_is_refused() -> None:
    with pytest.raises(CommandError, match=r"http://127\.0\.0\.1:8080"):
        LocalEndpoint("music", "127.0.0.1:8080")

"""What the platform does with a multi-model endpoint."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.integration.serving import KNOWN, Response, Server

MULTI = {"SAGEMAKER_MULTI_MODEL": "true"}


def load(server: Server, parent: Path, name: str, folder: str | None = None) -> Response:
    return server.post("/models", {"model_name": name, "url": str(parent / "models" / (folder or name) / "model")})


def invoke(server: Server, name: str) -> Response:
    return server.post(f"/models/{name}/invoke", KNOWN)


def invoke_in_every_worker(server: Server, name: str) -> None:
    """Asks so much at once that one worker alone, the last that was free, is not enough."""
    body = [KNOWN] * 400
    with ThreadPoolExecutor(8) as callers:
        assert {r.status for r in callers.map(lambda _: server.post(f"/models/{name}/invoke", body), range(16))} == {200}


def error(response: Response) -> tuple[int, str]:
    document = response.json()
    assert document == {"status": "error", "error": document["error"]}
    assert document["error"]["request_id"] == response.headers["x-request-id"]
    assert response.headers["content-type"] == "application/json"
    assert response.body.isascii()
    return response.status, document["error"]["code"]

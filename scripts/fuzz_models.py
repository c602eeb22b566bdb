"""What a fuzzing run sends to a multi-model endpoint: names, paths and bodies that want out of their folder, between loads and unloads."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.fuzz_inputs import SCALARS
from scripts.http_wire import post

# Each a name, or part of a path.
NAMES = [
    *("a", "b", "../a", "..", ".", "a/../a", "/etc/passwd", "%2e%2e", "..%2f..", "a%00", "a\x00", "a\n", "a\r\nX: y", "", " ", "é"),
    *(
        "\ud800",
        "a" * 256,
        "a" * 257,
        "a" * 10_000,
        "a;x",
        "c?b",
        "c#b",
        "%zz",
        "%",
        "a\\b",
        "~",
        "$(id)",
        "${jndi:ldap://127.0.0.1:1/x}",
        "-",
    ),
]
URLS = [
    *("", ".", "/", "/etc", "..", "../model", "a/../../model", "http://127.0.0.1:1/x", "file:///etc", "a/model/model.json", "link", "\x00"),
    "a/model",
]
STATUSES = (200, 400, 404, 405, 408, 409, 413, 415, 422, 429, 503)  # 503 while a worker drops a model, as is documented


@contextmanager
def many_models(model: Path) -> Iterator[Path]:
    """Yields a SAGEMAKER_BASE_DIR with the model twice, as ``a`` and ``b``, and a link out of the folder of all models."""
    with tempfile.TemporaryDirectory(prefix="models-") as folder:
        base = Path(folder)
        for name in ("a", "b"):
            shutil.copytree(model, base / "models" / name / "model")
        (base / "models" / "link").symlink_to(model.resolve().parent)
        yield base


def without_places(body: bytes, base: Path) -> bytes:
    """Returns an answer without the addresses of models, which the platform wants to read in it, and the name of the folder of all."""
    return body.replace(str(base).encode(), b"").replace(b"/opt/ml/models", b"")


def load_request(base: Path, name: str) -> bytes:
    return post("/models", json.dumps({"model_name": name, "url": str(base / "models" / name / "model")}).encode())


def any_model_request(rng: random.Random, base: Path, body: bytes) -> bytes:
    """Returns one request. Those that load and unload do so with ``b`` only; ``a`` is there all the time."""
    chance = rng.random()
    if chance < 0.02:
        return load_request(base, "b")
    if chance < 0.04:
        return b"DELETE /models/b HTTP/1.1\r\nHost: x\r\n\r\n"
    if chance < 0.1:
        return post("/models/b/invoke", body)
    if chance < 0.45:
        content = {"model_name": rng.choice([*NAMES[1:], *SCALARS]), "url": rng.choice([*URLS, *SCALARS, str(base / "models" / "link")])}
        if rng.random() < 0.2:
            del content[rng.choice(list(content))]
        text = json.dumps(content, ensure_ascii=rng.random() < 0.7).encode("utf-8", "surrogatepass")
        return post("/models", rng.choice([text, text, text, text[:-1], b"[" * 50_000, b'{"a":' * 50_000, b"\xff", text + b"x", b""]))
    path = "/models" + rng.choice(["/{}", "/{}/invoke", "/{}/x", "?limit={}", "?next_page_token={}", "/a/invoke?x={}", "{}"])
    name = rng.choice(NAMES[2:]).encode("utf-8", "surrogatepass").replace(b"\r", b"%0d").replace(b"\n", b"%0a").replace(b" ", b"%20")
    method = rng.choice([b"GET", b"POST", b"PUT", b"DELETE", b"GET"])
    target = path.encode().replace(b"{}", name.replace(b"\x00", b"%00"))
    return b"%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (method, target, len(body), body)

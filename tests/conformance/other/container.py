#!/usr/bin/env python3
"""Another container, on which the suite itself is tried: `train` takes the mean of numbers, `serve` says how far from it a number is.

    container.py train | serve                   about as small as a container can be and still keep SageMaker's contract
    container.py --fault NAME train | serve      with a mistake that containers make in the field: one of ``FAULTS``

It has no multi-model endpoint and no /execution-parameters.
"""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FAULTS = {
    "early-ping": "a ping is 200 before there is a model, and without one",
    "busy-ping": "a ping waits until requests before it have been answered",
    "traceback": "what is refused is 500 and a traceback",
    "exact-types": "a content type with a parameter is unknown, and Accept is not read",
    "mixed-up": "a caller may get the answer of another",
    "no-drain": "SIGTERM drops what is at hand",
    "deaf": "SIGTERM is ignored",
    "second-port": "a port is open that nobody asked for",
    "one-bad-line": "a bad line fails the body of a batch transform job",
    "writes": "a file is written beside the model",
    "dies": "a body over the limit ends the server",
}
BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
LIMIT = int(os.environ.get("SAGEMAKER_MAX_PAYLOAD_IN_MB", "6")) * 1024 * 1024
BATCH = os.environ.get("SAGEMAKER_BATCH") == "true"
DEFAULT_ACCEPT = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "")
JSON = "application/json"
TYPES = (JSON, "application/jsonlines", "text/csv")
FAULT = sys.argv[2] if sys.argv[1] == "--fault" else ""
model: dict[str, float] = {}
seen: dict[str, bytes] = {}
at_work, turn, told_to_end = set(), threading.Lock(), threading.Event()


class Refused(Exception):  # noqa: N818 - it is the caller's mistake
    """A status, and what is wrong."""


def train() -> None:
    values = [float(line) for path in sorted((BASE / "input/data/numbers").iterdir()) for line in path.read_text().split()]
    (BASE / "model/model.json").write_text(json.dumps({"mean": math.fsum(values) / len(values)}))


def distance(line: str) -> float | str:
    time.sleep(0.001)  # the work
    try:
        value = float(json.loads(line))
        if math.isfinite(value):
            return abs(value - model["mean"])
    except (ValueError, TypeError, OverflowError, RecursionError):
        pass
    if BATCH and FAULT != "one-bad-line":
        return f"ERROR: {line[:40]!a} is no number"
    raise Refused(422, f"{line[:40]!a} is no number")


def answer(body: bytes, content_type: str, accept: str) -> tuple[str, str]:
    """Returns the type of the answer, and the answer."""
    kind = content_type if FAULT == "exact-types" else content_type.partition(";")[0].strip().lower()
    if kind not in TYPES:
        raise Refused(415, f"send one of {TYPES}")
    given = JSON if FAULT == "exact-types" else chosen(accept, kind)
    try:
        text = body.decode("utf-8")
    except ValueError:
        raise Refused(400, "the body is no UTF-8") from None
    if not text.strip() and not BATCH:
        raise Refused(400, "the body is empty")
    said = [distance(line) for line in ([text] if kind == JSON else text.removesuffix("\n").split("\n"))]
    return given, json.dumps(said) if given == JSON else "".join(json.dumps(one) + "\n" for one in said)


def chosen(accept: str, kind: str) -> str:
    weights: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        weights[name] = next((float(word[2:]) for word in parameters if word.startswith("q=")), 1.0)
    best = max({*TYPES, "*/*"} & weights.keys(), key=lambda name: weights[name], default="")
    if not best or weights[best] == 0:
        raise Refused(406, f"accept one of {TYPES}")
    return best if best in TYPES else DEFAULT_ACCEPT or kind


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != "/ping":
            return self.reply(404, JSON, '{"error": "nothing is here"}')
        before = at_work.copy()
        while FAULT == "busy-ping" and before & at_work:
            time.sleep(0.01)
        return self.reply(200 if model or FAULT == "early-ping" else 503, "", "")

    def do_POST(self) -> None:
        at_work.add(self)
        try:
            body = self.body()
            if self.path != "/invocations":
                raise Refused(404, "nothing is here")
            if FAULT == "mixed-up":
                seen["last"] = body
                time.sleep(0.01)
                body = seen["last"]
            with turn:
                kind, text = answer(body, self.headers.get("Content-Type") or JSON, self.headers.get("Accept") or "*/*")
            self.reply(200, kind, text)
        except Refused as error:
            status, message = error.args
            if FAULT == "traceback":
                self.reply(500, "text/plain", f'Traceback (most recent call last):\n  File "container.py", line 1\n{message}')
            else:
                self.reply(status, JSON, json.dumps({"error": message}))
        finally:
            at_work.discard(self)

    do_DELETE = do_GET  # noqa: N815 - the name is that of http.server

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            pieces = [b""]
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size + 2)[:-2])
            self.rfile.readline()
            return b"".join(pieces)
        length = int(self.headers.get("Content-Length") or 0)
        if length <= LIMIT:
            return self.rfile.read(length)
        if FAULT == "dies":
            os._exit(1)
        while length > 0 and (piece := self.rfile.read(min(length, 65536))):
            length -= len(piece)
        raise Refused(413, f"more than {LIMIT} bytes")

    def reply(self, status: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing for a request."""


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


def load() -> None:
    try:
        model["mean"] = float(json.loads((BASE / "model/model.json").read_text())["mean"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        if FAULT != "early-ping":
            sys.exit(f"no model that could be read in {BASE / 'model'}: {error!r}")


def serve() -> None:
    signal.signal(signal.SIGTERM, lambda *_: None if FAULT == "deaf" else told_to_end.set())
    if FAULT != "early-ping":
        load()
    if FAULT == "writes":
        (BASE / "model/used").touch()
    other = socket.create_server(("127.0.0.1", 0)) if FAULT == "second-port" else None
    address = (os.environ.get("SAGEMAKER_BIND_ADDRESS") or "0.0.0.0", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")))
    server = Server(address, Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    if FAULT == "early-ping":
        time.sleep(1)
        load()
    told_to_end.wait()
    if FAULT != "no-drain":
        server.shutdown()
        while at_work:
            time.sleep(0.01)
        time.sleep(0.05)  # the last bytes are on their way
    if other is not None:
        other.close()
    os._exit(0)


if __name__ == "__main__":
    {"train": train, "serve": serve}[sys.argv[-1]]()

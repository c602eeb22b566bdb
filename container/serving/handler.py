"""multi-model-server's way in: `handle` is called once, to load; requests come by `answer_requests`, which takes the place of its own loop.

The process that loads is the parent of the workers; it forks them, so they share all that is loaded here.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

from mms.protocol import otf_message_handler as stock

from container.paths import model_dir
from container.serving.account import WorkerCounts
from container.serving.frames import REQUESTS, FramedAnswer, FramedRequest, FrameReader, answer_frame
from container.serving.lifetime import die_with_parent
from container.serving.models import NotLoadedError, OpenModels
from container.serving.responder import Reply, Responder, problem
from container.serving.settings import Settings
from container.serving.workspace import MARKERS_ENV, METRICS_ENV
from inference.errors import ArtifactError

log = logging.getLogger(__name__)

MODEL_HEADER = "serving-model"  # set by our own front: the marker of the model that is asked
ACCOUNT_HEADER = "serving-account"  # to our own front, for its log line
WORKER_CLASS = "MXNetModelServiceWorker"  # multi-model-server's, in the program that runs
_responder: Responder | None = None  # of the one model
_models: OpenModels | None = None  # of a multi-model endpoint
_counts: WorkerCounts | None = None  # of this worker


def handle(data: None, context: Any) -> None:
    """Loads the model, and has requests come by ``answer_requests`` from then on."""
    if _responder is None and _models is None:
        _load()
        getattr(sys.modules["__main__"], WORKER_CLASS).handle_connection = answer_requests


def answer_requests(worker: Any, connection: socket.socket) -> None:
    """Answers the front's frames until it closes the connection: raises ``ConnectionError`` then.

    Stands in for the method of multi-model-server's ``worker``, which spends more time on a small request than the model does.
    """
    connection.setblocking(True)
    reader = FrameReader(connection)
    while True:
        command = reader.recv(1)
        if command == REQUESTS:
            connection.sendall(answer_frame([answer(request) for request in reader.requests()]))
            continue
        if command != stock.LOAD_MSG:
            raise ValueError(f"the front sent a frame of an unknown kind: {command!r}")
        # The first frame: the model is loaded long since, but the pipes for the log are made now.
        message, status = worker.load_model(stock._retrieve_load_msg(reader))
        connection.sendall(stock.create_load_model_response(status, message))
        worker._remap_io()
        if status != 200:
            raise RuntimeError(f"{status}: {message}")


def answer(request: FramedRequest) -> FramedAnswer:
    """Returns the answer, whatever the request is."""
    headers = request.headers
    responder = _responder if _models is None else _open(_models, headers[MODEL_HEADER], request.id)
    if isinstance(responder, Reply):
        reply = responder
    else:
        assert responder is not None
        reply = responder.reply(request.body, headers.get("content-type"), headers.get("accept"), request.id)
    told = {}
    if reply.account is not None:
        told[ACCOUNT_HEADER] = reply.account.json_fields()
        if _counts is not None:
            _counts.add(reply.account)
    return FramedAnswer(request.id, reply.status, reply.content_type, told, reply.body)


def _open(models: OpenModels, marker: str, request_id: str) -> Responder | Reply:
    try:
        return models.get(marker)
    except NotLoadedError:
        return problem(404, "model_not_loaded", "The model was unloaded. Load it with POST /models.", request_id)
    except MemoryError:
        log.exception("request id=%s: no memory to open its model", request_id)
        return problem(507, "out_of_memory", "There is no memory to open the model. Unload others.", request_id)
    except Exception as error:
        log.error("request id=%s: its model can't be opened: %s", request_id, error)
        return problem(500, "model_unreadable", "The model's files are no longer what they were when it was loaded.", request_id)


def _start_worker() -> None:
    """Runs in each worker, as soon as it is forked."""
    global _counts
    die_with_parent()
    if METRICS_ENV in os.environ:
        _counts = WorkerCounts.start(Path(os.environ[METRICS_ENV]))


def _load() -> None:
    global _responder, _models
    die_with_parent()
    os.register_at_fork(after_in_child=_start_worker)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    package = logging.getLogger("container.serving")
    package.addHandler(handler)
    package.propagate = False
    settings = Settings.from_environment(os.environ)
    package.setLevel(settings.python_log_level)
    if settings.multi_model:
        _models = OpenModels(Path(os.environ[MARKERS_ENV]), settings)
    else:
        try:
            responder = Responder.of(model_dir(), settings)
        except ArtifactError as error:
            package.error("%s", error)
            raise SystemExit(1) from None
        responder.warm_up()
        _responder = responder
    gc.collect()
    gc.freeze()  # else each full collection of a worker would look at all of this again, and copy it

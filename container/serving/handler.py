"""multi-model-server's way in: `handle` is called once to load, and then with each batch of requests.

The process that loads is the parent of the workers; it forks them, so they share all that is loaded here.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path
from typing import Any

from container.paths import model_dir
from container.serving.account import WorkerCounts
from container.serving.lifetime import die_with_parent
from container.serving.models import NotLoadedError, OpenModels
from container.serving.responder import Reply, Responder, problem
from container.serving.settings import Settings
from container.serving.workspace import MARKERS_ENV, METRICS_ENV
from inference.errors import ArtifactError

log = logging.getLogger(__name__)

MODEL_HEADER = "serving-model"  # set by our own front: the marker of the model that is asked
ACCOUNT_HEADER = "serving-account"  # to our own front, for its log line
_responder: Responder | None = None  # of the one model
_models: OpenModels | None = None  # of a multi-model endpoint
_counts: WorkerCounts | None = None  # of this worker


def handle(data: list[dict[str, Any]] | None, context: Any) -> list[bytes] | None:
    """Returns one body per request, with its status and type set in ``context``; without ``data`` it loads the model."""
    if _responder is None and _models is None:
        _load()
    if data is None:
        return None
    return [_answer(index, element, context) for index, element in enumerate(data)]


def _answer(index: int, element: dict[str, Any], context: Any) -> bytes:
    headers, request_id = context.get_all_request_header(index), context.get_request_id(index)
    responder = _responder if _models is None else _open(_models, headers[MODEL_HEADER], request_id)
    if isinstance(responder, Reply):
        reply = responder
    else:
        assert responder is not None
        reply = responder.reply(element.get("body", b""), headers.get("content-type"), headers.get("accept"), request_id)
    # Constant phrase and type: multi-model-server counts characters where it sends bytes.
    context.set_response_status(reply.status, "", index)
    context.set_response_content_type(index, reply.content_type)
    if reply.account is not None:
        context.set_response_header(index, ACCOUNT_HEADER, reply.account.json_fields())
        if _counts is not None:
            _counts.add(reply.account)
    return reply.body


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
    logging.getLogger("mms.service").setLevel(logging.WARNING)  # a metrics line for each request, which nobody reads
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

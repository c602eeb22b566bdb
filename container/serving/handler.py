"""multi-model-server's way in: `handle` is called once to load, and then with each batch of requests.

The process that loads is the parent of the workers; it forks them, so they share all that is loaded here.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from container.paths import model_dir
from container.serving.lifetime import die_with_parent
from container.serving.responder import Responder
from container.serving.settings import Settings
from inference.errors import ArtifactError

_responder: Responder | None = None


def handle(data: list[dict[str, Any]] | None, context: Any) -> list[bytes] | None:
    """Returns one body per request, with its status and type set in ``context``; without ``data`` it loads the model."""
    global _responder
    if _responder is None:
        _responder = _load()
    if data is None:
        return None
    return [_answer(_responder, index, element, context) for index, element in enumerate(data)]


def _answer(responder: Responder, index: int, element: dict[str, Any], context: Any) -> bytes:
    headers = context.get_all_request_header(index)
    reply = responder.reply(element.get("body", b""), headers.get("content-type"), headers.get("accept"), context.get_request_id(index))
    # Constant phrase and type: multi-model-server counts characters where it sends bytes.
    context.set_response_status(reply.status, "", index)
    context.set_response_content_type(index, reply.content_type)
    return reply.body


def _load() -> Responder:
    die_with_parent()
    os.register_at_fork(after_in_child=die_with_parent)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    package = logging.getLogger("container.serving")
    package.addHandler(handler)
    package.propagate = False
    logging.getLogger("mms.service").setLevel(logging.WARNING)  # a metrics line for each request, which nobody reads
    settings = Settings.from_environment(os.environ)
    try:
        responder = Responder.of(model_dir(), settings)
    except ArtifactError as error:
        package.error("%s", error)
        raise SystemExit(1) from None
    responder.warm_up()
    return responder

"""Turns the body and the headers of one request into one answer, whatever happens."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import inference
from inference.errors import RequestError, error_json

log = logging.getLogger(__name__)

JSON = "application/json"
# The smallest request there is: somebody unknown.
WARM_UP_BODY = b'{"user_id": "warm-up"}'


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


class Responder:
    """Answers requests with the model in ``model_dir``; memory-mapped, so that processes share it."""

    def __init__(self, model_dir: Path, *, default_accept: str | None = None, max_response: int) -> None:
        """Opens the model. Raises ``inference.errors.ArtifactError``."""
        self._model = inference.model_fn(str(model_dir))
        self._default_accept = default_accept
        self._max_response = max_response

    def reply(self, body: bytes | bytearray, content_type: str | None, accept: str | None, request_id: str | None = None) -> Reply:
        """Returns the answer, or the error as JSON. Never raises."""
        try:
            return self._reply(body, content_type, accept)
        except RequestError as error:
            return Reply(error.status, JSON, error_json(error.code, error.message, request_id))
        except MemoryError:
            log.exception("request id=%s ran out of memory", request_id)
            message = "The server is out of memory. Send smaller or fewer requests."
            return Reply(507, JSON, error_json("out_of_memory", message, request_id))
        except Exception:
            log.exception("request id=%s failed", request_id)
            message = "The server failed on this request. Its log has the reason under the request's id."
            return Reply(500, JSON, error_json("internal_error", message, request_id))

    def _reply(self, body: bytes | bytearray, content_type: str | None, accept: str | None) -> Reply:
        if not accept or accept.strip() == "*/*":
            accept = self._default_accept
        answers = inference.predict_fn(inference.input_fn(body, content_type), self._model)
        answer, answer_type = inference.output_fn(answers, accept)
        if len(answer) > self._max_response:
            size = f"The answer has {len(answer)} bytes; the limit is {self._max_response}."
            raise RequestError(413, "response_too_large", f"{size} Ask for fewer recommendations, or send fewer requests at once.")
        return Reply(200, answer_type, answer)

    def warm_up(self) -> Reply:
        """Answers one request, so that the first real one finds everything imported and the pages in memory."""
        return self.reply(WARM_UP_BODY, JSON, JSON, "warm-up")

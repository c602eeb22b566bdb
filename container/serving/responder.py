"""Turns the body and the headers of one request into one answer, whatever happens."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import inference
from container.serving.account import Account
from container.serving.settings import Settings
from inference.answer import Answer
from inference.batch import Answers, Batch
from inference.errors import RequestError, error_json

log = logging.getLogger(__name__)

JSON = "application/json"
# The smallest request there is: somebody unknown.
WARM_UP_BODY = b'{"user_id": "warm-up"}'


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. ``account`` says what was done for it, where a model was asked."""

    status: int
    content_type: str
    body: bytes
    account: Account | None = None


def problem(status: int, code: str, message: str, request_id: str | None, account: Account | None = None) -> Reply:
    """Returns an error as every path answers it."""
    account = Account() if account is None else account
    account.error = code
    return Reply(status, JSON, error_json(code, message, request_id), account)


class Responder:
    """Answers requests with the model in ``model_dir``; memory-mapped, so that processes share it.

    A body that takes longer than ``max_seconds`` is refused: multi-model-server would give up on the worker, which then goes on for nobody.
    """

    def __init__(
        self, model_dir: Path, *, default_accept: str | None = None, max_response: int, max_seconds: float = 45, batch: bool = False
    ) -> None:
        """Opens the model. ``batch``: the requests come from a batch transform job. Raises ``inference.errors.ArtifactError``."""
        self._model = inference.model_fn(str(model_dir))
        self._default_accept = default_accept
        self._max_response = max_response
        self._max_seconds = max_seconds
        self._read = inference.lines_fn if batch else inference.input_fn
        self._advice = " In batch transform: SplitType=Line, BatchStrategy=SingleRecord." if batch else ""

    @property
    def version(self) -> str:
        """The version of the model."""
        return self._model.version

    @classmethod
    def of(cls, model_dir: Path, settings: Settings) -> Self:
        """Opens the model, with the limits that the environment asks for."""
        return cls(
            model_dir,
            default_accept=settings.default_accept,
            max_response=settings.max_response,
            max_seconds=settings.max_seconds,
            batch=settings.batch,
        )

    def reply(self, body: bytes | bytearray, content_type: str | None, accept: str | None, request_id: str | None = None) -> Reply:
        """Returns the answer, or the error as JSON. Never raises."""
        account = Account()
        try:
            return self._reply(body, content_type, accept, account)
        except RequestError as error:
            advice = self._advice if error.status == 413 else ""
            return problem(error.status, error.code, error.message + advice, request_id, account)
        except MemoryError:
            log.exception("request id=%s ran out of memory", request_id)
            message = "The server is out of memory. Send smaller or fewer requests."
            return problem(507, "out_of_memory", message, request_id, account)
        except Exception:
            log.exception("request id=%s failed", request_id)
            message = "The server failed on this request. Its log has the reason under the request's id."
            return problem(500, "internal_error", message, request_id, account)
        finally:
            account.end()

    def _reply(self, body: bytes | bytearray, content_type: str | None, accept: str | None, account: Account) -> Reply:
        deadline = time.monotonic() + self._max_seconds
        if not accept or accept.strip() == "*/*":
            accept = self._default_accept
        account.begin("decode")
        batch = self._read(body, content_type)
        account.requests = len(batch.entries)
        account.begin("predict")
        answers = self._predict(batch, deadline, account)
        account.begin("encode")
        answer, answer_type = inference.output_fn(answers, accept)
        if len(answer) > self._max_response:
            size = f"The answer has {len(answer)} bytes; the limit is {self._max_response}."
            raise RequestError(413, "response_too_large", f"{size} Ask for fewer recommendations, or send fewer requests at once.")
        return Reply(200, answer_type, answer, account)

    def _predict(self, batch: Batch, deadline: float, account: Account) -> Answers:
        answers: list[Answer | RequestError] = []
        for entry, answer in zip(batch.entries, inference.predict_each(batch, self._model), strict=True):
            if batch.single and isinstance(answer, RequestError):
                raise answer
            answers.append(answer)
            account.add(entry.request, answer)
            if len(answers) < len(batch.entries) and time.monotonic() > deadline:
                done = f"Of {len(batch.entries)} requests {len(answers)} were answered in {self._max_seconds:g} s, which is the limit."
                raise RequestError(413, "batch_too_slow", f"{done} Send fewer at once.")
        return Answers(batch, tuple(answers))

    def warm_up(self) -> Reply:
        """Answers one request, so that the first real one finds everything imported and the pages in memory."""
        return self.reply(WARM_UP_BODY, JSON, None, "warm-up")

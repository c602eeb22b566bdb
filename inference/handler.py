"""The four functions that SageMaker's inference toolkit, and our own handler for multi-model-server, call."""

from __future__ import annotations

from pathlib import Path

from inference.answer import Answer
from inference.artifact import load
from inference.batch import Answers, Batch
from inference.bodies import decode, encode
from inference.errors import RequestError
from inference.lines import decode_lines
from inference.media_types import acceptable, content_type
from inference.recommender import Recommender
from inference.request import Request


def model_fn(model_dir: str, context: object | None = None) -> Recommender:
    """Opens the model in ``model_dir``. Raises ``ArtifactError``."""
    return load(Path(model_dir))


def input_fn(body: bytes | bytearray | str, content_type_header: str | None, context: object | None = None) -> Batch:
    """Reads the requests in a body. Raises ``RequestError`` 415 for its type, 400 for its form, 422 for a single request's content."""
    return decode(body, content_type(content_type_header))


def lines_fn(body: bytes | bytearray, content_type_header: str | None) -> Batch:
    """Reads a body of batch transform: like ``input_fn``, but each line has an answer, empty and unreadable ones an error in their place.
    Raises ``RequestError`` 415 for the body's type, 413 where it asks for too much."""
    return decode_lines(body, content_type(content_type_header))


def predict_fn(batch: Batch, recommender: Recommender, context: object | None = None) -> Answers:
    """Answers each request of the batch, in order. What this model can't answer is an error in its place; where the body was a single
    request, its ``RequestError`` is raised."""
    return Answers(batch, tuple(_answer(entry.request, recommender, batch.single) for entry in batch.entries))


def _answer(request: Request | RequestError, recommender: Recommender, single: bool) -> Answer | RequestError:
    if isinstance(request, RequestError):
        return request
    try:
        return recommender.recommend(request)
    except RequestError as error:
        if single:
            raise
        return error


def output_fn(answers: Answers, accept: str | None, context: object | None = None) -> tuple[bytes, str]:
    """Writes the answers; returns (body, content type). Raises ``RequestError`` 406. Without an ``Accept``, in the type of the request."""
    media_type = acceptable(accept, answers.batch.media_type)
    return encode(answers, media_type), media_type

"""The four functions that SageMaker's inference toolkit, and our own handler for multi-model-server, call."""

from __future__ import annotations

from pathlib import Path

from inference.artifact import load
from inference.batch import Answers, Batch
from inference.bodies import decode, encode
from inference.errors import RequestError
from inference.media_types import acceptable, content_type
from inference.recommender import Recommender


def model_fn(model_dir: str, context: object | None = None) -> Recommender:
    """Opens the model in ``model_dir``. Raises ``ArtifactError``."""
    return load(Path(model_dir))


def input_fn(body: bytes | bytearray | str, content_type_header: str | None, context: object | None = None) -> Batch:
    """Reads the requests in a body. Raises ``RequestError`` 415 for its type, 400 for its form, 422 for a single request's content."""
    return decode(body, content_type(content_type_header))


def predict_fn(batch: Batch, recommender: Recommender, context: object | None = None) -> Answers:
    """Answers each request of the batch, in order."""
    requests = [entry.request for entry in batch.entries]
    return Answers(batch, tuple(r if isinstance(r, RequestError) else recommender.recommend(r) for r in requests))


def output_fn(answers: Answers, accept: str | None, context: object | None = None) -> tuple[bytes, str]:
    """Writes the answers; returns (body, content type). Raises ``RequestError`` 406. Without an ``Accept``, in the type of the request."""
    media_type = acceptable(accept, answers.batch.media_type)
    return encode(answers, media_type), media_type

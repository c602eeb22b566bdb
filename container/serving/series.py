"""What the server counts: the table of the README, as code. Both engines print these, in this order."""

from __future__ import annotations

from collections.abc import Sequence

from container.serving.metrics import Series, label

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
PARTS = ("queue", "decode", "predict", "encode")
FALLBACKS = ("none", "content", "context", "popularity_fill", "popularity")
LISTENERS = ("known", "unknown", "unnamed")
ID_KINDS = ("listener", "song")

_INVOKED = (200, 400, 404, 405, 406, 413, 415, 422, 429, 500, 503, 507)
_ROUTES = {
    "invocations": _INVOKED,
    "ping": (200, 405, 503),
    "metrics": (200, 405),
    "execution-parameters": (200, 405),
    "unknown": (400, 404),
    "oversized": (413,),
}
_ROUTES_OF_MODELS = {
    "models": (200, 400, 405, 409, 422, 429, 500, 503, 507),
    "model": (200, 404, 405, 429, 503),
    "invoke": _INVOKED,
}
OTHER = "other"  # of each route, for a status that is not foreseen

DURATION = Series(
    "recommender_request_duration_seconds",
    "histogram",
    "From a request to its answer, where a worker was to answer.",
    bounds=SECONDS,
)
PART = Series(
    "recommender_request_part_seconds",
    "histogram",
    "The same, split: waiting for a worker, reading the body, recommending, writing the answer.",
    [label("part", part) for part in PARTS],
    SECONDS,
)
BATCH = Series("recommender_batch_size", "histogram", "Requests in one body.", bounds=SIZES)


def routes(multi_model: bool) -> dict[str, tuple[int | str, ...]]:
    """Returns the routes, each with the statuses that are counted apart."""
    known = _ROUTES | (_ROUTES_OF_MODELS if multi_model else {})
    return {route: (*statuses, OTHER) for route, statuses in known.items()}


def request_labels(route: str, status: int | str) -> str:
    """Returns the labels of ``recommender_requests_total``."""
    return f"{label('route', route)},{label('status', str(status))}"


def answer_labels(listener: str, fallback: str) -> str:
    """Returns the labels of ``recommender_answers_total``."""
    return f"{label('listener', listener)},{label('fallback', fallback)}"


def all_series(model_version: str | None) -> Sequence[Series]:
    """Returns what is counted; ``model_version`` is None on a multi-model endpoint."""
    multi_model = model_version is None
    requests = [request_labels(route, status) for route, statuses in routes(multi_model).items() for status in statuses]
    answers = [answer_labels(listener, fallback) for listener in LISTENERS for fallback in FALLBACKS]
    kinds = [label("kind", kind) for kind in ID_KINDS]
    common = (
        Series("recommender_requests_total", "counter", "HTTP requests that were answered, refusals (413, 429, 503) among them.", requests),
        DURATION,
        PART,
        BATCH,
        Series("recommender_answers_total", "counter", "Recommendations by who asked and by what stood in for the full model.", answers),
        Series("recommender_answer_errors_total", "counter", "Requests whose place in an answer of many is taken by an error."),
        Series("recommender_ids_total", "counter", "Ids in requests: listeners, and distinct songs.", kinds),
        Series("recommender_unknown_ids_total", "counter", "Of these, ids that the model does not know.", kinds),
        Series("recommender_requests_in_flight", "gauge", "Requests taken and not yet answered."),
        Series("recommender_queue_length", "gauge", "Of these, requests that wait for a worker."),
        Series("recommender_workers", "gauge", "Workers that there should be."),
        Series("recommender_workers_ready", "gauge", "Workers that have the model."),
        Series("recommender_worker_starts_total", "counter", "Workers started."),
        Series("recommender_worker_restarts_total", "counter", "Of these, workers started in place of one that was lost."),
        Series("recommender_resident_memory_bytes", "gauge", "Memory of all processes together; what several share counts for each."),
        Series("recommender_proportional_memory_bytes", "gauge", "Memory of all processes together; what several share counts once."),
        Series("recommender_uptime_seconds", "moment", "Since the server was started."),
    )
    if multi_model:
        return (*common, Series("recommender_models_loaded", "gauge", "Models that are loaded."))
    assert model_version is not None
    info = Series("recommender_model_info", "gauge", "1; the label says which model answers.", [label("model_version", model_version)])
    return (*common, info, Series("recommender_model_age_seconds", "moment", "Since training wrote the model's model.json."))

"""What a worker did for one body, for the log and for the counts. No id of a listener or a song is in it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from time import monotonic
from typing import Self

from container.serving.metrics import Counters, alone, totals
from container.serving.series import (
    BATCH,
    DURATION,
    FALLBACKS,
    ID_KINDS,
    LISTENERS,
    OTHER,
    PART,
    answer_labels,
    label,
    request_labels,
)
from inference.answer import Answer
from inference.errors import RequestError
from inference.request import Request


@dataclass(slots=True)
class Account:
    """Times in seconds; what a request never came to stays 0.

    ``answers``: how many by listener (``LISTENERS``) and fallback (``FALLBACKS``); ``errors``: how many of a body of several are errors;
    ``error``: the code of the one error that the body was answered with; ``history``: the songs of all histories together.
    """

    decode: float = 0.0
    predict: float = 0.0
    encode: float = 0.0
    requests: int = 0
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: int = 0
    history: int = 0
    listeners: int = 0
    unknown_listeners: int = 0
    songs: int = 0
    unknown_songs: int = 0
    error: str | None = None
    _part: str = ""
    _since: float = 0.0

    def add(self, request: Request | RequestError, answer: Answer | RequestError) -> None:
        """Adds one request of the body and its answer."""
        if isinstance(answer, RequestError) or isinstance(request, RequestError):
            self.errors += 1
            return
        listener = "unnamed" if request.user_id is None else "known" if answer.known_listener else "unknown"
        self.answers[listener, answer.fallback or "none"] += 1
        self.history += answer.history_size
        self.listeners += request.user_id is not None
        self.unknown_listeners += listener == "unknown"
        if request.events or request.items or request.candidates:
            self.songs += len({*(event.item_id for event in request.events), *request.items, *(request.candidates or ())})
            self.unknown_songs += len(answer.unknown_items)

    def begin(self, part: str) -> None:
        """Begins to measure ``decode``, ``predict`` or ``encode``, and ends the part before."""
        self.end()
        self._part = part

    def end(self) -> None:
        """Ends the part that was begun."""
        now = monotonic()
        if self._part:
            setattr(self, self._part, now - self._since)
        self._part, self._since = "", now

    @property
    def fallback(self) -> str | None:
        """Returns what stood in for the full model: None where nothing did, ``mixed`` where it differs between the requests."""
        kinds = {fallback for _, fallback in self.answers}
        kind = kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "none"
        return None if kind == "none" else kind

    def json_fields(self) -> str:
        """Returns what the log line says of it: the inside of the braces of JSON, printable ASCII."""
        # Without a dictionary and json.dumps, which take six microseconds more of each request.
        parts = f'"decode_ms":{1000 * self.decode:.3f},"predict_ms":{1000 * self.predict:.3f},"encode_ms":{1000 * self.encode:.3f}'
        asked = f'"requests":{self.requests},"history":{self.history}'
        unknown = f'"unknown_listeners":{self.unknown_listeners},"unknown_songs":{self.unknown_songs}'
        errors = f'"errors":{self.errors},' if self.errors else ""
        end = f'"fallback":{_json(self.fallback)}' if self.error is None else f'"error":{_json(self.error)}'
        return f"{parts},{asked},{unknown},{errors}{end}"


def _json(word: str | None) -> str:
    return "null" if word is None else json.dumps(word)


class WorkerCounts:
    """The counts of one worker."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self._batch = counters.histogram(BATCH)
        self._decode, self._predict, self._encode = (counters.histogram(PART, label("part", p)) for p in ("decode", "predict", "encode"))
        name = "recommender_answers_total"
        self._answers = {(who, kind): counters.place(name, answer_labels(who, kind)) for who in LISTENERS for kind in FALLBACKS}
        listeners, songs = (label("kind", kind) for kind in ID_KINDS)
        self._numbers = [
            (counters.place("recommender_answer_errors_total"), attrgetter("errors")),
            (counters.place("recommender_ids_total", listeners), attrgetter("listeners")),
            (counters.place("recommender_ids_total", songs), attrgetter("songs")),
            (counters.place("recommender_unknown_ids_total", listeners), attrgetter("unknown_listeners")),
            (counters.place("recommender_unknown_ids_total", songs), attrgetter("unknown_songs")),
        ]

    @classmethod
    def start(cls, directory: Path) -> Self:
        """Takes a file in ``directory`` and counts this start: one beyond the number of workers is a restart."""
        with alone(directory):
            before = totals(directory)
            counters = Counters.claim(directory)
            counters.add(counters.place("recommender_worker_starts_total"))
            if before["recommender_worker_starts_total"] >= before["recommender_workers"]:
                counters.add(counters.place("recommender_worker_restarts_total"))
        return cls(counters)

    def add(self, account: Account) -> None:
        """Adds what was done for one body."""
        numbers = self.counters.numbers
        if account.decode:  # else there was no model to read it for
            self._decode(account.decode)
        if account.requests:
            self._predict(account.predict)
            self._encode(account.encode)
            self._batch(account.requests)
        for key, count in account.answers.items():
            numbers[self._answers[key]] += count
        for place, number_of in self._numbers:
            if number := number_of(account):
                numbers[place] += number


class FrontCounts:
    """The counts of an HTTP front in Python; that of multi-model-server counts in Java."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.duration = counters.histogram(DURATION)
        self.queue = counters.histogram(PART, label("part", "queue"))
        self._places: dict[tuple[str, int], int] = {}

    def answered(self, route: str, status: int) -> None:
        """Counts an answer."""
        if (route, status) not in self._places:
            self._places[route, status] = self._place(route, status)
        self.counters.add(self._places[route, status])

    def _place(self, route: str, status: int) -> int:
        name = "recommender_requests_total"
        try:
            return self.counters.place(name, request_labels(route, status))
        except KeyError:
            return self.counters.place(name, request_labels(route, OTHER))

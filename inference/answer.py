"""One answer: the recommended songs, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from json.encoder import encode_basestring_ascii as quoted
from math import isfinite
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Reason:
    """A part of a score. ``share`` is its part of 1; ``item_id`` the song of the history that caused it (None: none did); ``models`` the
    same share split by model. A song that speaks against a recommendation has a negative share."""

    share: float
    item_id: str | None
    models: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        start: dict[str, Any] = {"item_id": self.item_id} if self.item_id is not None else {}
        return {**start, "share": round(self.share, 6), "models": {name: round(share, 6) for name, share in self.models.items()}}


class Recommendation(NamedTuple):
    """One song of an answer."""

    item_id: str
    score: float
    reasons: tuple[Reason, ...] | None = None
    metadata: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"item_id": self.item_id, "score": self.score}
        if self.metadata is not None:
            out["metadata"] = dict(self.metadata)
        if self.reasons is not None:
            out["reasons"] = [reason.to_json() for reason in self.reasons]
        return out


class Answer(NamedTuple):
    """The recommended songs, best first, as columns: ``item_ids``, ``scores``, and where they were asked for ``reasons`` and ``metadata``.
    A batch has thousands of songs, and an object for each takes as long as to look up its id.

    ``fallback`` says what stood in where the full model had nothing to go on: None, ``content``, ``context``, ``popularity``,
    ``popularity_fill``.

    The caller is not told ``history_size``, how many songs it was made from, nor whether the model has known the listener.
    """

    user_id: str | None
    model_version: str
    fallback: str | None
    item_ids: Sequence[str]
    scores: Sequence[float]
    unknown_items: tuple[str, ...] = ()
    history_size: int = 0
    known_listener: bool = False
    reasons: Sequence[tuple[Reason, ...]] | None = None
    metadata: Sequence[Mapping[str, str]] | None = None

    @property
    def recommendations(self) -> tuple[Recommendation, ...]:
        reasons = repeat(None) if self.reasons is None else self.reasons
        metadata = repeat(None) if self.metadata is None else self.metadata
        return tuple(map(Recommendation, self.item_ids, self.scores, reasons, metadata))

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"user_id": self.user_id, "status": "success", "model_version": self.model_version, "fallback": self.fallback}
        if self.unknown_items:
            out["unknown_items"] = list(self.unknown_items)
        out["recommendations"] = [r.to_json() for r in self.recommendations]
        return out

    def json_text(self) -> str:
        """Returns what ``dumps`` makes of ``to_json``, in a fifth of the time: an answer is mostly ids and scores, and a batch has many.
        Raises ``ValueError`` for a score that JSON can't write."""
        # The sum is finite where all scores are, but for huge ones, which the other way writes as well.
        if self.reasons is None and self.metadata is None and isfinite(sum(self.scores)):
            both = zip(self.item_ids, self.scores, strict=True)
            songs = [f'{{"item_id":{quoted(id_)},"score":{score!r}}}' for id_, score in both]
        else:
            songs = [dumps(one.to_json()) for one in self.recommendations]
        who = "null" if self.user_id is None else quoted(self.user_id)
        fallback = "null" if self.fallback is None else quoted(self.fallback)
        unknown = f'"unknown_items":{dumps(self.unknown_items)},' if self.unknown_items else ""
        start = f'{{"user_id":{who},"status":"success","model_version":{quoted(self.model_version)},"fallback":{fallback}'
        return f'{start},{unknown}"recommendations":[{",".join(songs)}]}}'


_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def dumps(value: Any) -> str:
    """Returns ASCII JSON without spaces. Raises ``ValueError`` for what JSON can't write."""
    return _encode(value)

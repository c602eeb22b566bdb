"""One answer: the recommended songs, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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


@dataclass(frozen=True)
class Recommendation:
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


@dataclass(frozen=True)
class Answer:
    """``fallback`` says what stood in where the full model had nothing to go on: None, ``content``, ``context``, ``popularity``,
    ``popularity_fill``.

    The caller is not told ``history_size``, how many songs it was made from, nor whether the model has known the listener.
    """

    user_id: str | None
    model_version: str
    fallback: str | None
    recommendations: tuple[Recommendation, ...]
    unknown_items: tuple[str, ...] = field(default=())
    history_size: int = 0
    known_listener: bool = False

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"user_id": self.user_id, "status": "success", "model_version": self.model_version, "fallback": self.fallback}
        if self.unknown_items:
            out["unknown_items"] = list(self.unknown_items)
        out["recommendations"] = [r.to_json() for r in self.recommendations]
        return out

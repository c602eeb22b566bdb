"""What a model does with a request that leaves the options out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from inference.rerank.options import NOTHING, OPTION_FIELDS, Options, parse_options

CANDIDATES = 200
HEAD_SHARE = 0.5
MOST_CANDIDATES = 2_000


@dataclass(frozen=True)
class Defaults:
    """``options``: of a request that names none; ``candidates``: how many of the best songs are re-ranked; ``head_share``: the share of
    all listening that the large artists have. ``document``: all that differs from ``Defaults()``, as JSON."""

    options: Options = NOTHING
    candidates: int = CANDIDATES
    head_share: float = HEAD_SHARE
    document: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Reads options as a request has them, ``candidates`` and ``head_share``, all optional. Raises ``RequestError`` 422 that names the
        field for an option, ``ValueError`` for anything else."""
        if unknown := [name for name in document if name not in (*OPTION_FIELDS, "candidates", "head_share")]:
            raise ValueError(f"no option of the re-ranker: {unknown[0]}")
        candidates, head_share = document.get("candidates", CANDIDATES), document.get("head_share", HEAD_SHARE)
        if not isinstance(candidates, int) or not 1 <= candidates <= MOST_CANDIDATES:
            raise ValueError(f"candidates must be 1 to {MOST_CANDIDATES}")
        if not isinstance(head_share, int | float) or not 0 <= head_share <= 1:
            raise ValueError("head_share must be 0 to 1")
        return cls(parse_options(document), candidates, float(head_share), dict(document))

    def options_for(self, asked: Options, ranks_candidates: bool) -> Options:
        """Returns the options that hold for a request. A caller who names the candidates wants them ranked: no default cap drops one."""
        defaults = self.options
        if asked is NOTHING and defaults is NOTHING:  # as most requests
            return NOTHING
        if ranks_candidates and (defaults.max_per_artist or defaults.max_per):
            defaults = replace(defaults, max_per_artist=None, max_per=None)
        return asked.over(defaults)

"""The registry of scorers: every way in which a model can score, by the name of its kind."""

from __future__ import annotations

from inference.scorers.base import Scorer
from inference.scorers.factors import FactorScorer
from inference.scorers.hybrid import HybridScorer
from inference.scorers.item_to_item import ItemToItemScorer
from inference.scorers.popularity import PopularityScorer
from inference.scorers.sequential import SequentialScorer
from inference.scorers.sessions import SessionScorer
from inference.scorers.words import WordScorer

_ALL: tuple[type[Scorer], ...] = (PopularityScorer, ItemToItemScorer, FactorScorer, SequentialScorer, SessionScorer, WordScorer)
KINDS: dict[str, type[Scorer]] = {kind.KIND: kind for kind in _ALL}

__all__ = [
    "KINDS",
    "FactorScorer",
    "HybridScorer",
    "ItemToItemScorer",
    "PopularityScorer",
    "Scorer",
    "SequentialScorer",
    "SessionScorer",
    "WordScorer",
]

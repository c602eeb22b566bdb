"""The registry of scorers: every way in which a model can score, by the name of its kind."""

from __future__ import annotations

from inference.scorers.base import Scorer
from inference.scorers.factors import FactorScorer
from inference.scorers.hybrid import HybridScorer
from inference.scorers.item_to_item import ItemToItemScorer
from inference.scorers.popularity import PopularityScorer

KINDS: dict[str, type[Scorer]] = {kind.KIND: kind for kind in (PopularityScorer, ItemToItemScorer, FactorScorer)}

__all__ = ["KINDS", "FactorScorer", "HybridScorer", "ItemToItemScorer", "PopularityScorer", "Scorer"]

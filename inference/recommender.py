"""Answers one request: history, scores, choice, reasons."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np

from inference.answer import Answer, Reason
from inference.batch_ranker import BatchRanker
from inference.errors import RequestError
from inference.features.described import DescribedSongs
from inference.features.similarity import Similarity
from inference.features.store import FeatureStore
from inference.features.transform import FeatureTransform
from inference.history import EventWeighting, History
from inference.known import Known, ListenerWords
from inference.named import Named
from inference.order import StoredOrder
from inference.ranking import Ranking
from inference.reasons import BY_POPULARITY, POPULARITY, reasons_of
from inference.request import Request
from inference.rerank.defaults import Defaults
from inference.rerank.options import NOTHING, Options
from inference.rerank.reranker import Reranker
from inference.scorers import HybridScorer, PopularityScorer, Scorer
from inference.seeds import CONTENT, DescribedSeeds
from inference.sparse import SparseRows
from inference.sparse_ranker import SparseRanker
from inference.texts import Texts
from inference.top_n import top_n
from inference.vocabulary import UNKNOWN, Vocabulary

HYBRID = "hybrid"
CONTEXT = "context"
Reasons = list[tuple[Reason, ...]] | None  # of each song of an answer
Best = Callable[[np.ndarray, int, np.ndarray], np.ndarray]  # `top_n`, or the same within caps
ANSWERED_AT_ONCE, RANKED_AT_ONCE = 1024, 32_768  # requests of a batch that are ranked together
EXPLAINED_AT_ONCE = 64  # a long history times many songs would take a gigabyte


@dataclass(frozen=True)
class Recommender:
    """A finished model. ``user_items`` holds the history of each known listener; ``listeners`` (int32, songs) how many have played a song;
    ``model`` is the name of the scorer that answers: the hybrid, or any single one (``with_model``). ``features``: of all songs;
    ``transform``: what makes them of a new song's attributes; ``similarity``: how alike two songs are by them; all None where the model
    has no catalogue, or is of format 1. ``defaults``: filters and re-ranking for requests that leave them out. ``order``: when the songs of
    ``user_items`` were played; ``words``: what listeners and playlists are called; None where the data did not say."""

    items: Vocabulary
    users: Vocabulary
    user_items: SparseRows
    listeners: np.ndarray
    scorers: Mapping[str, Scorer]
    hybrid: HybridScorer
    weighting: EventWeighting
    version: str
    metadata: Mapping[str, Texts] = field(default_factory=dict)
    model: str = HYBRID
    features: FeatureStore | None = None
    transform: FeatureTransform | None = None
    similarity: Similarity | None = None
    defaults: Defaults = field(default_factory=Defaults)
    info: Mapping[str, Any] = field(default_factory=dict)
    order: StoredOrder | None = None
    words: ListenerWords | None = None

    def with_model(self, name: str) -> Recommender:
        """Returns the same recommender, answering with one of its scorers alone. Raises ``KeyError`` for an unknown name."""
        if name != HYBRID and name not in self.scorers:
            raise KeyError(name)
        return replace(self, model=name)

    @property
    def scorer(self) -> Scorer | HybridScorer:
        return self.hybrid if self.model == HYBRID else self.scorers[self.model]

    @property
    def popularity(self) -> np.ndarray:
        scorer = self.scorers[POPULARITY]
        assert isinstance(scorer, PopularityScorer)
        return scorer.popularity

    # --- one request ---------------------------------------------------------------------------------------------------------------

    def recommend(self, request: Request) -> Answer:
        """Answers any request that ``parse_request`` lets through; unknown listeners and songs never raise. Raises ``RequestError`` 422
        where songs are described, or filtered by, attributes that the model does not know, or to a model without features."""
        return self._recommend(request, Named.of(request, self.items))

    def _recommend(self, request: Request, named: Named) -> Answer:
        history = self._known_of_listeners.history(request, named)
        seeds = self._seeds(request, history)
        ranking = self._rank(request, named, history, seeds)
        reasons = self._reasons(history, seeds, ranking) if request.explain else None
        return self._answer(request, named, ranking, reasons, self._fallback(history, seeds, ranking), self.items.ids(ranking.numbers))

    def recommend_each(self, requests: Sequence[Request]) -> Iterator[Answer | RequestError]:
        """Yields for each request, in order, what ``recommend`` returns (scores but for their last bits) or raises. Plain ones are ranked
        together where the model allows it, some hundred at a time, so that whoever stops asking has not waited for all."""
        for start in range(0, len(requests), ANSWERED_AT_ONCE):
            some = requests[start : start + ANSWERED_AT_ONCE]
            named = Named.of_each(some, self.items)
            rankings = self._batches.rank(some, named)
            together = [ranking.numbers for ranking in rankings if ranking is not None]
            ids = iter(self.items.ids(np.concatenate(together)) if together else ())
            for request, songs, ranking in zip(some, named, rankings, strict=True):
                if ranking is None:
                    yield self._recommend_or_error(request, songs)
                else:
                    history = self._known_of_listeners.history(request, songs) if request.explain else None
                    reasons = None if history is None else self._reasons(history, None, ranking)
                    yield self._answer(request, songs, ranking, reasons, None, list(islice(ids, len(ranking.numbers))))

    def _recommend_or_error(self, request: Request, named: Named) -> Answer | RequestError:
        try:
            return self._recommend(request, named)
        except RequestError as error:
            return error

    def rank(self, request: Request) -> np.ndarray:
        """Returns only the numbers of the recommended songs (int64, best first): what evaluation counts."""
        return self.ranking(request).numbers

    def ranking(self, request: Request) -> Ranking:
        """Returns the recommended songs and their scores, without anything else of an answer."""
        return self._ranking(request, Named.of(request, self.items))

    def _ranking(self, request: Request, named: Named) -> Ranking:
        history = self._known_of_listeners.history(request, named)
        return self._rank(request, named, history, self._seeds(request, history))

    def rank_each(self, requests: Sequence[Request]) -> Iterator[np.ndarray]:
        """Yields for each request, in order, what ``rank`` returns; plain ones are ranked together where the model allows it."""
        for start in range(0, len(requests), RANKED_AT_ONCE):
            some = requests[start : start + RANKED_AT_ONCE]
            named = Named.of_each(some, self.items)
            for request, songs, ranking in zip(some, named, self._batches.rank(some, named), strict=True):
                yield (self._ranking(request, songs) if ranking is None else ranking).numbers

    @functools.cached_property
    def _sparse(self) -> SparseRanker | None:
        return SparseRanker.of(self.scorer, self.popularity)

    @functools.cached_property
    def _batches(self) -> BatchRanker:
        return BatchRanker(self._sparse, self._known_of_listeners, self.listeners, self.defaults)

    def history(self, request: Request) -> History:
        """Returns the stored history of the listener, the events and the seed songs of the request, added up, in order, with its words."""
        return self._known_of_listeners.history(request)

    @functools.cached_property
    def _known_of_listeners(self) -> Known:
        parts = self.hybrid.parts.values() if self.model == HYBRID else [self.scorers[self.model]]
        ranked = any(part.READS_ORDER for part in parts)
        return Known(self.items, self.users, self.user_items, self.weighting, self.order, self.words, ranked)

    def _seeds(self, request: Request, history: History) -> DescribedSeeds | None:
        if not request.songs:
            return None
        if self.transform is None or self._compare is None:
            raise RequestError(422, "no_features", "This model has no features of songs: send 'items' of its catalogue, not 'songs'.")
        weight = self.hybrid.weights.get(CONTENT, 1.0) if self.model == HYBRID else 1.0
        heard = float(history.weights.sum()) or float(history.speaks)  # words alone weigh as much as one song
        return DescribedSeeds(request.songs, self.transform, self._compare, weight, heard)

    @functools.cached_property
    def _compare(self) -> DescribedSongs | None:
        return None if self.similarity is None or self.features is None else DescribedSongs(self.similarity, self.features)

    def _answer(self, request: Request, named: Named, ranking: Ranking, reasons: Reasons, fallback: str | None, ids: list[str]) -> Answer:
        metadata = [self._metadata(number) for number in ranking.numbers.tolist()] if request.metadata else None
        scores, heard, known = ranking.scores.tolist(), ranking.history, ranking.known
        return Answer(request.user_id, self.version, fallback, ids, scores, named.unknown, heard, known, reasons, metadata)

    # --- the parts of an answer ----------------------------------------------------------------------------------------------------

    def _rank(self, request: Request, named: Named, history: History, seeds: DescribedSeeds | None) -> Ranking:
        excluded = named.exclude
        if request.leaves_out_seen:
            excluded = np.concatenate([history.numbers, named.events, named.songs, excluded])
        options = self.defaults.options_for(request.options, request.candidates is not None)
        if seeds is None and request.candidates is None and self._sparse is not None and options.filters_alone:
            return self._sparse.rank(history, request.limit, excluded, self._reranker.filters.masks(options.filter or ()))
        scores = self._scores(history, seeds)
        allowed = np.ones(len(self.items), dtype=bool)
        if request.candidates is not None:
            allowed[:] = False
            allowed[named.candidates[named.candidates != UNKNOWN]] = True
        allowed[excluded[excluded != UNKNOWN]] = False
        if options != NOTHING:
            return self._rerank(options, request.limit, scores, allowed, history, seeds)
        if request.candidates is None:
            liked = np.where(allowed, scores, 0.0)
            chosen = top_n(liked, request.limit)
            chosen = chosen[liked[chosen] > 0]
        else:
            chosen = top_n(scores, request.limit, np.flatnonzero(allowed & (scores > 0)))
        scored = len(chosen)
        if scored < request.limit:
            chosen = np.concatenate([chosen, self._fill(scores, allowed, chosen, request.limit - scored)])
        return Ranking(chosen, scores[chosen], scored, len(history), history.user is not None)

    def _rerank(
        self, options: Options, n: int, scores: np.ndarray, allowed: np.ndarray, history: History, seeds: DescribedSeeds | None
    ) -> Ranking:
        """The ranking by filters, boosts, caps and the objective: what they leave of the songs is chosen from as without them."""
        rules = self._reranker.rules(options)
        allowed, scores = rules.allow(allowed), rules.boost(scores)
        chosen = self._reranker.choose(rules, scores, allowed, n, history, () if seeds is None else seeds.stores)
        scored = len(chosen)
        if scored < n:
            chosen = np.concatenate([chosen, self._fill(scores, allowed, chosen, n - scored, rules.boost(self.popularity), rules.best)])
        return Ranking(chosen, scores[chosen], scored, len(history), history.user is not None)

    @functools.cached_property
    def _reranker(self) -> Reranker:
        scorers = self.hybrid.parts if self.model == HYBRID else {self.model: self.scorers[self.model]}
        known = (self.items, self.listeners, len(self.users), self.metadata, self.features, self.transform, self._compare)
        return Reranker(self.defaults, *known, scorers, self.hybrid.weights)

    def _scores(self, history: History, seeds: DescribedSeeds | None) -> np.ndarray:
        if seeds is not None:
            return seeds.scores(self.scorer.scores(history) if history.speaks else None)
        return self.scorer.scores(history) if history.speaks else self.popularity.astype(np.float64)

    def _fill(
        self, scores: np.ndarray, allowed: np.ndarray, chosen: np.ndarray, n: int, popularity: np.ndarray | None = None, best: Best = top_n
    ) -> np.ndarray:
        """Returns ``n`` more songs where the model has too few: those without an opinion by popularity, then those it speaks against."""
        allowed = allowed.copy()
        allowed[chosen] = False
        neutral = best(self.popularity if popularity is None else popularity, n, np.flatnonzero(allowed & (scores == 0)))
        against = best(scores, n - len(neutral), np.flatnonzero(allowed & (scores < 0)))
        return np.concatenate([neutral, against])

    def _fallback(self, history: History, seeds: DescribedSeeds | None, ranking: Ranking) -> str | None:
        if (not history.speaks and seeds is None) or (ranking.scored == 0 and len(ranking.numbers)):
            return POPULARITY
        if not len(history):
            return CONTENT if seeds is not None else self._fallback_of_words(history)
        if not self.listeners[history.numbers].any():
            return CONTENT if seeds is not None or self._knows_content_of(history) else POPULARITY
        return "popularity_fill" if ranking.scored < len(ranking.numbers) else None

    def _fallback_of_words(self, history: History) -> str:
        """Words alone are no history: what answered is named, and it is popularity where no model makes anything of them."""
        parts = self.hybrid.parts if self.model == HYBRID else {self.model: self.scorer}
        return CONTEXT if any(name != POPULARITY and part.scores(history).any() for name, part in parts.items()) else POPULARITY

    def _knows_content_of(self, history: History) -> bool:
        """Returns whether anything but popularity spoke: a hybrid without a content model ranks songs that nobody played by that alone."""
        parts = self.hybrid.parts if self.model == HYBRID else {self.model: self.scorer}
        return any(name != POPULARITY and part.scores(history).any() for name, part in parts.items())

    def _reasons(self, history: History, seeds: DescribedSeeds | None, ranking: Ranking) -> list[tuple[Reason, ...]]:
        """Splits each score into what each song of the history, and each model, added to it."""
        if not history.speaks and seeds is None:
            return [BY_POPULARITY] * len(ranking.numbers)
        some = range(0, len(ranking.numbers), EXPLAINED_AT_ONCE)
        return [why for i in some for why in self._explain(history, seeds, ranking.numbers[i : i + EXPLAINED_AT_ONCE])]

    def _explain(self, history: History, described: DescribedSeeds | None, numbers: np.ndarray) -> Iterator[tuple[Reason, ...]]:
        parts = self.scorer.contributions_by_model(history, numbers, self.model) if history.speaks else {}
        if described is not None:
            parts = described.contributions(parts, numbers)
        return reasons_of(parts, lambda rows: self._causes(history, described, rows))

    def _causes(self, history: History, described: DescribedSeeds | None, rows: np.ndarray) -> list[str | None]:
        """Returns the ids of the songs in rows of the contributions: those of the history, one of no song, those that are described."""
        of_history = (rows < len(history)).nonzero()[0]
        found: list[str | None] = [None] * len(rows)
        for place, id_ in zip(of_history.tolist(), self.items.ids(history.numbers[rows[of_history]]), strict=True):
            found[place] = id_
        if described is not None:
            first = len(history) + 1 if history.speaks else 0
            for place in (rows >= first).nonzero()[0].tolist():
                found[place] = described.names[int(rows[place]) - first]
        return found

    def _metadata(self, number: int) -> dict[str, str]:
        return {name: texts[number] for name, texts in self.metadata.items()}

"""The best songs for many histories at once, where scores are sums of sparse rows. What it is not sure of it says, and leaves to others."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from inference.histories import Histories, Terms
from inference.kernel import Kernel, Rows, load_kernel
from inference.product import Addend, Product, product
from inference.scorers.base import Scorer
from inference.scorers.hybrid import HybridScorer
from inference.scorers.item_to_item import ItemToItemScorer
from inference.scorers.patient import PatientScorer
from inference.scorers.popularity import PopularityScorer
from inference.sparse import SparseRows
from inference.top_n import top_n

MAX_ENTRIES = 10_000_000  # of the operators that are copied at a time: 12 bytes each
# A fifth of the kernel's time goes to songs that are among the best only until better ones come. Of so many histories the first ones tell
# how high the last place is, by the norm; where such a guess is too high, there is a second try.
GUESS_FROM, PILOT, MISSED = 4096, 512, 0.01


class Part(NamedTuple):
    weight: float
    scorer: ItemToItemScorer | PatientScorer


class Lists(NamedTuple):
    """``numbers`` int64 and ``scores`` float64 (histories × n), best first. Only rows that are ``sure`` (bool) are the answer."""

    numbers: np.ndarray
    scores: np.ndarray
    sure: np.ndarray


class Popular:
    """Popularity to add up: that of the most popular songs as a sparse row, that of all others (``rest`` at most) afterwards."""

    SONGS = 1024

    def __init__(self, popularity: np.ndarray) -> None:
        order = top_n(popularity, self.SONGS + 1)
        songs = np.sort(order[: self.SONGS])
        self.rest = float(popularity[order[self.SONGS]]) if len(order) > self.SONGS else 0.0
        self.of_others = popularity.copy()
        self.of_others[songs] = 0.0
        self.row = SparseRows(np.array([0, len(songs)]), songs.astype(np.int32), popularity[songs], len(popularity))

    def addend(self, histories: int) -> Addend:
        return Addend(Terms(np.arange(histories + 1), np.zeros(histories, np.int32), np.ones(histories)), self.row)


class LinearRanker:
    """Ranks by ``Σ_p weight_p (terms_p @ operator_p) + popularity``.

    A list is *sure* where it is what sorting all songs by the scores of the scorer gives: it has n songs with positive scores, and no two
    scores, among them or with a song that was left out, are equal, or so near that rounding could have brought them into this order.
    """

    def __init__(self, parts: list[Part], popular: Popular | None, n_songs: int, kernel: Kernel) -> None:
        self._parts, self._popular, self._n_songs, self._kernel = parts, popular, n_songs, kernel

    @classmethod
    def of(cls, scorer: Scorer | HybridScorer, n_songs: int) -> Self | None:
        """Returns None where the scorer is no such sum, or there is no kernel."""
        parts, popular = [], None
        for weight, addend in scorer.addends if isinstance(scorer, HybridScorer) else [(1.0, scorer)]:
            if isinstance(addend, ItemToItemScorer | PatientScorer):
                parts.append(Part(weight, addend))
            elif isinstance(addend, PopularityScorer) and addend.popularity.min(initial=0.0) >= 0:
                popular = Popular(weight * addend.popularity.astype(np.float64))
            else:
                return None
        kernel = load_kernel() if parts else None
        return None if kernel is None else cls(parts, popular, n_songs, kernel)

    @property
    def reads_songs_alone(self) -> bool:
        """Whether ``ranks`` and ``words`` of the histories make no difference."""
        return all(isinstance(part.scorer, ItemToItemScorer) for part in self._parts)

    def best(self, histories: Histories, excluded: Terms, n: int) -> Lists:
        """Returns the ``n`` best songs of each history that are not among the rows of ``excluded`` (its weights don't matter)."""
        lists = Lists(np.full((len(histories), n), -1), np.zeros((len(histories), n)), np.zeros(len(histories), dtype=bool))
        if n <= self._n_songs:
            found = [(part, part.scorer.terms(histories)) for part in self._parts]
            addends = [Addend(terms._replace(weights=part.weight * terms.weights), part.scorer.operator) for part, terms in found]
            for some in _blocks(addends, len(histories)):
                self._rank(lists, some, [Addend(one.terms.of_range(some), one.matrix) for one in addends], excluded.of_range(some), n)
        return lists

    def _rank(self, lists: Lists, some: range, addends: list[Addend], excluded: Terms, n: int) -> None:
        """Writes the lists of ``some`` histories down."""
        # Who says nothing is answered by popularity alone, whatever its weight: not here.
        open_ = np.flatnonzero(np.sum([np.diff(one.terms.starts) for one in addends], axis=0))
        scores = product(addends if self._popular is None else [*addends, self._popular.addend(len(some))], excluded, self._n_songs)
        few, many = (n + 1, n + 1) if self._popular is None else (2 * n + 20, 4 * n + 200)
        again, least = open_[:0], None
        if len(open_) >= GUESS_FROM:
            pilot, open_ = open_[:PILOT], open_[PILOT:]
            norms = scores.norms()
            again, last = self._try(lists, some, scores, pilot, n, few)
            guess = _guess(last, norms[pilot])
            least = guess * norms[open_] if guess > 0 else None
        undecided, _ = self._try(lists, some, scores, open_, n, few, least)
        self._try(lists, some, scores, np.concatenate([again, undecided]), n, many)

    def _try(
        self, lists: Lists, some: range, scores: Product, chosen: np.ndarray, n: int, taken: int, least: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Takes the ``taken`` best songs of the ``chosen`` histories, and writes down the lists that are sure. Returns the histories that a
        further try could be sure of, and the last score of each of the ``chosen`` (0 where there are fewer songs).

        ``least``: a guess of that last score. Songs below it are passed over, so that fewer have to be sorted in. The rows are divided by
        it, rounded down to a power of two, which changes no digit.
        """
        if not len(chosen):
            return chosen, np.empty(0)
        taken = min(taken, self._n_songs)
        part = scores.some(chosen)
        if least is None:
            numbers, values, full = _table(self._kernel(part.left, part.right, self._n_songs, taken, 0.0), taken)
            limit = values[:, -1].copy()  # nothing that was passed over has more; 0 where the row is not full
        else:
            exponents = np.frexp(least)[1] - 1
            scaled = np.ldexp(part.left.values, -np.repeat(exponents, np.diff(part.left.starts)))
            found = self._kernel(part.left._replace(values=scaled), part.right, self._n_songs, taken, 1.0)
            numbers, values, full = _table(found, taken)
            values = np.ldexp(values, exponents[:, None])
            limit = np.where(full, values[:, -1], np.inf)
        last = np.where(full, values[:, -1], 0.0)
        sure, undecided = self._settle(numbers, values, limit, part.error, n)
        rows = some.start + chosen[sure]
        lists.numbers[rows], lists.scores[rows], lists.sure[rows] = numbers[sure, :n], values[sure, :n], True
        return chosen[undecided & (full | (least is not None))], last

    def _settle(
        self, numbers: np.ndarray, scores: np.ndarray, limit: np.ndarray, error: np.ndarray, n: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sorts the rows, best first, in place. Returns which are sure, and which are only not far enough from what is not among them."""
        if self._popular is not None:
            scores += np.where(numbers >= 0, self._popular.of_others[numbers], 0.0)
            limit = limit + self._popular.rest
            order = np.argsort(-scores, axis=1, kind="stable")
            numbers[:], scores[:] = np.take_along_axis(numbers, order, axis=1), np.take_along_axis(scores, order, axis=1)
        below = np.concatenate([scores[:, 1 : n + 1], np.zeros((len(scores), 1))], axis=1)[
            :, :n
        ]  # of the last one too, where that was taken
        ordered = (scores[:, :n] - below > error[:, None]).all(axis=1)
        far = scores[:, n - 1] - limit > error
        return ordered & far, ordered & ~far


def _guess(last: np.ndarray, norms: np.ndarray) -> float:
    """Returns what most last scores are at least, as a share of the norm; 0 where many histories have too few songs to tell."""
    usual = (last > 0) & (norms > 0)
    return float(np.quantile(last[usual] / norms[usual], MISSED)) if 2 * usual.sum() > len(last) else 0.0


def _blocks(addends: list[Addend], histories: int) -> list[range]:
    """Cuts the histories so that the rows that a block needs have at most ``MAX_ENTRIES`` entries, or there is one history in it."""
    if sum(len(one.matrix.values) for one in addends) <= MAX_ENTRIES:
        return [range(histories)] if histories else []
    needed = np.zeros(histories)
    for (starts, rows, _), matrix in addends:
        before = np.concatenate([[0], np.cumsum(matrix.indptr[rows + 1] - matrix.indptr[rows])])
        needed += np.diff(before[starts])
    before = np.concatenate([[0.0], np.cumsum(needed)])
    blocks, start = [], 0
    while start < histories:
        stop = max(int(np.searchsorted(before, before[start] + MAX_ENTRIES, side="right")) - 1, start + 1)
        blocks.append(range(start, stop))
        start = stop
    return blocks


def _table(found: Rows, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns numbers int64 and scores (rows × width), -1 and 0 where there are fewer, and which rows are full (bool)."""
    lengths = np.diff(found.starts)
    full = lengths == width
    if full.all():
        return found.columns.reshape(-1, width).astype(np.int64), found.values.reshape(-1, width), full
    numbers, scores = np.full((found.n_rows, width), -1, dtype=np.int64), np.zeros((found.n_rows, width))
    owners = np.repeat(np.arange(found.n_rows), lengths)
    within = np.arange(len(owners)) - np.repeat(found.starts[:-1], lengths)
    numbers[owners, within], scores[owners, within] = found.columns, found.values
    return numbers, scores, full

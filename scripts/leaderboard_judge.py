"""Judges lists that others made, and hybrids without one of their parts, on the cases of a finished run, by its own measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference import artifact
from inference.recommender import HYBRID, Recommender
from inference.request import Request
from inference.scorers import HybridScorer
from training.config import TrainingConfig
from training.evaluation.cases import Case, ask
from training.evaluation.context import Context
from training.evaluation.details import DETAILS_NPZ, read_details
from training.evaluation.evaluate import PRIMITIVE, ModelReport, judge
from training.evaluation.split_file import SPLIT_NPZ, SplitFile


@dataclass(frozen=True)
class Judge:
    """The cases of one run, the model that was trained in it, and what its measures need. ``source``: the name of the run's test."""

    source: str
    recommender: Recommender
    cases: Sequence[Case]
    ks: Sequence[int]
    context: Context
    primitive: NDArray[np.int32]

    @classmethod
    def of(cls, model: Path, output: Path) -> Judge:
        """Opens a run that was trained with ``evaluation_details``. Of held-out songs it takes the ranking among all songs."""
        recommender = artifact.load(model)
        config = TrainingConfig.from_hyperparameters(recommender.info["configuration"])
        split = SplitFile.read(output / SPLIT_NPZ)
        ids = np.array([recommender.items.id(number) for number in range(len(recommender.items))], dtype=object)
        context = Context.of(recommender, int(np.count_nonzero(np.diff(split.relearn.indptr))), config, ids)
        details = read_details(output / DETAILS_NPZ)
        source = list(details)[-1]
        return cls(
            source, recommender, cases_of(split, recommender), config.evaluation.k, context, details[source][PRIMITIVE]["recommended"]
        )

    def of_lists(self, name: str, recommended: NDArray[np.int32]) -> ModelReport:
        """Judges finished lists. Raises ``ValueError`` where they are not int32 (cases, at least the longest k) of songs."""
        n_items = len(self.context.item_listeners)
        if recommended.dtype != np.int32 or recommended.shape[0] != len(self.cases) or recommended.shape[1] < max(self.ks):
            raise ValueError(f"lists must be int32 ({len(self.cases)}, {max(self.ks)}), not {recommended.dtype} {recommended.shape}")
        if recommended.min() < -1 or recommended.max() >= n_items:
            raise ValueError(f"lists must hold numbers of songs (below {n_items}), or -1")
        return judge(name, recommended[:, : max(self.ks)], self.cases, sorted(self.ks), self.context, self.primitive)

    def without_each_part(self) -> dict[str, ModelReport]:
        """Returns the hybrid without each of its models, by that model's name; the other weights stay as they are (only their
        proportions count), so this says what the model adds to this hybrid, not what a hybrid made without it could do."""
        weights = dict(self.recommender.hybrid.weights)
        reports = {}
        for name in weights:
            if others := {other: weight for other, weight in weights.items() if other != name}:
                hybrid = HybridScorer(self.recommender.scorers, others)
                lists = ask(name, replace(self.recommender, hybrid=hybrid, model=HYBRID), self.cases, max(self.ks), quiet=True)
                reports[name] = self.of_lists(f"hybrid without {name}", lists)
        return reports


def cases_of(split: SplitFile, recommender: Recommender) -> list[Case]:
    """Returns the test of a split file as requests: known listeners by id, the others with the songs that are shown."""
    cases = []
    for row, user in enumerate(split.test.users.tolist()):
        shown, hidden = (_row(matrix.indptr, matrix.indices, row) for matrix in (split.test.shown, split.test.hidden))
        items = tuple(recommender.items.id(number) for number in shown.tolist())
        request = Request(items=items) if user < 0 else Request(user_id=recommender.users.id(user))
        cases.append(Case(request, hidden, shown, user))
    return cases


def whole_of(report: ModelReport) -> Mapping[str, float]:
    """Returns the measures of all lists together."""
    return {**report.coverage, **report.exposure}


def _row(indptr: NDArray[np.int64], indices: NDArray[np.int32], row: int) -> NDArray[np.int32]:
    return np.asarray(indices[indptr[row] : indptr[row + 1]], dtype=np.int32)

"""Why songs are recommended: their scores, split into what each cause and each model added."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from inference.answer import Reason

MAX_REASONS = 3
POPULARITY = "popularity"
BY_POPULARITY = (Reason(1.0, None, {POPULARITY: 1.0}),)  # of a song that nothing else speaks for


def reasons_of(parts: Mapping[str, np.ndarray], causes: Callable[[np.ndarray], Sequence[str | None]]) -> Iterator[tuple[Reason, ...]]:
    """Yields the strongest reasons of each song. ``parts``: by model what each cause (row) adds to the score of each song (column),
    float64; all of them together are the scores. ``causes``: the ids of the songs of some rows, None where no song
    is behind one."""
    total = sum(parts.values())
    assert isinstance(total, np.ndarray)
    scores = total.sum(axis=0)
    # From here on a row for each song.
    strongest = np.argsort((-total * np.sign(scores)).T, axis=1, kind="stable")[:, :MAX_REASONS]
    picked = (strongest, np.arange(len(scores))[:, None])
    divisor = np.where(scores == 0, 1.0, scores)[:, None]
    shares = (total[picked] / divisor).tolist()
    by_model = [(model, (part[picked] / divisor).tolist()) for model, part in parts.items()]
    names, width = causes(strongest.ravel()), strongest.shape[1]
    for j, score in enumerate(scores.tolist()):
        if score == 0:
            yield BY_POPULARITY
            continue
        split = [{model: part[j][k] for model, part in by_model if part[j][k] != 0} for k in range(width)]
        found = zip(shares[j], names[j * width : (j + 1) * width], split, strict=True)
        yield tuple(Reason(share, name, models) for share, name, models in found if share > 0)

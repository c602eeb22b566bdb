"""What is wrong with the data: counted by kind and column, with examples that name file, row and value. Nothing is dropped in silence.

A *ledger* belongs to one piece of the work. Ledgers of pieces are merged in any order into the same ledger of the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from training.data.errors import UserDataError
from training.data.policies import POLICIES, REFUSE

MAX_EXAMPLES = 5
MAX_VALUE = 60  # characters of a value that are shown


class Values(Protocol):
    """Any sequence, list, array or column, whose values can be had by their place."""

    def __getitem__(self, place: int, /) -> object: ...


class Example(NamedTuple):
    """One place where a problem is. ``row``: 1 is the first row after the header; 0 where a row has no number."""

    file: str
    row: int
    value: str


@dataclass
class Problem:
    """How often, and the first few, by file and row."""

    count: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(self, count: int, examples: Sequence[Example]) -> None:
        self.count += count
        self.examples = sorted({*self.examples, *examples})[:MAX_EXAMPLES]


class Kind(NamedTuple):
    """What a problem is counted under. ``column`` is the column as the file calls it, "" where the whole row is meant."""

    channel: str
    kind: str
    column: str


@dataclass
class Ledger:
    """``counts``: plain numbers ("items.rows_read"). ``problems``: what was wrong, by kind. ``policies``: kind → action."""

    policies: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    problems: dict[Kind, Problem] = field(default_factory=dict)

    def action(self, kind: str) -> str:
        """What is to be done about a problem of this kind: ``repair``, ``keep``, ``drop`` or ``refuse``."""
        return self.policies.get(kind) or next(iter(POLICIES[kind]))

    def found(self, kind: Kind, where: NDArray[np.bool_], file: str, rows: NDArray[np.int64], values: Values) -> NDArray[np.bool_]:
        """Records the rows where ``where`` (bool) is true, and returns which rows are to be dropped for it (bool, all false for a repair).

        ``rows``: the numbers of the rows in ``file``; ``values``: what stands in the column, per row (any sequence that takes an
        index). A problem whose policy is ``refuse`` is recorded too; ``refuse()`` ends the job once all pieces are merged, so that
        the first one in the order of files and rows is named, however the work was cut.
        """
        places = np.flatnonzero(where)
        if len(places):
            first = places[:MAX_EXAMPLES]
            examples = [Example(file, int(rows[place]), shown(values[place])) for place in first.tolist()]
            self.problems.setdefault(kind, Problem()).add(len(places), examples)
        return where if self.action(kind.kind) == "drop" else np.zeros(len(where), dtype=bool)

    def merge(self, other: Ledger, rows_before: int = 0) -> None:
        """Adds what another piece of the work found; ``rows_before``: the rows of the same file that come before that piece."""
        self.counts.update(other.counts)
        for kind, problem in other.problems.items():
            moved = [example._replace(row=example.row + rows_before) if example.row else example for example in problem.examples]
            self.problems.setdefault(kind, Problem()).add(problem.count, moved)

    def dropped(self, channel: str) -> str:
        """Why rows of a channel were left out, with their numbers, and the first one of them; "" if none was."""
        name = f"{channel}.dropped_"
        reasons = [
            f"{key.removeprefix(name).replace('_', ' ')}: {n:,}" for key, n in sorted(self.counts.items()) if n and key.startswith(name)
        ]
        found = [pair for pair in sorted(self.problems.items()) if pair[0].channel == channel and self.action(pair[0].kind) == "drop"]
        first = [f"the first: {first_place(*found[0])}"] if found else []
        return "; ".join([*reasons, *first])

    def refuse(self) -> None:
        """Raises ``UserDataError`` if a problem was found that the settings say to refuse: the first by kind, file and row."""
        for kind, problem in sorted(self.problems.items()):
            if self.action(kind.kind) == REFUSE and problem.count:
                raise UserDataError(refusal(kind, problem))


def refusal(kind: Kind, problem: Problem) -> str:
    """The sentence that ends a job: file, column, row, value, and the setting that asked for it."""
    more = f" ({problem.count - 1:,} more)" if problem.count > 1 else ""
    return f"{first_place(kind, problem)}{more}. Correct the data, or set quality_{kind.kind} to {' or '.join(POLICIES[kind.kind])}."


def first_place(kind: Kind, problem: Problem) -> str:
    """Where a problem is first: file, column, row, what it is, and the value."""
    column = f', column "{kind.column}"' if kind.column else ""
    example = problem.examples[0] if problem.examples else Example(f"channel {kind.channel}", 0, "")
    row = f", row {example.row}" if example.row else ""
    value = f": {example.value}" if example.value else ""
    return f"{example.file}{column}{row}: {kind.kind.replace('_', ' ')}{value}"


def shown(value: object) -> str:
    """A value as a report shows it: quoted, cut, without control characters."""
    if value is None:
        return ""
    text = str(value)
    text = text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
    return '"' + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text) + '"'

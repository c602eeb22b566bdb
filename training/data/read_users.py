"""Reads the channel of listeners: their ids, and what they are called and are, as words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from inference.context import category_words, text_words
from training.config import TrainingConfig
from training.data.channel import Channel, Choose, read
from training.data.choose import user_columns
from training.data.dataset import ListenerWords
from training.data.engine import Engine
from training.data.events import Codes, codes_of
from training.data.ids import numbers, vocabulary
from training.data.judge import Cells, Judge
from training.data.problems import Ledger
from training.data.schemas import Schema


@dataclass
class Listeners:
    """``ids``: distinct, in no order that means anything. ``said``: the words of each listener who has any. ``texts``, ``categories``: the
    columns that they come from, as ``plain`` writes them."""

    ids: list[str] = field(default_factory=list)
    said: dict[str, set[str]] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def words(self, user_ids: NDArray[np.object_], least: int = 1) -> ListenerWords | None:
        """The words as a matrix, for listeners in the order of ``user_ids``, who must hold all of them; None without a column of words.

        Words of fewer than ``least`` listeners are left out: nothing can be learned of them, and most whole names are such.
        """
        if not (self.texts or self.categories):
            return None
        counts = Counter(word for one in self.said.values() for word in one)
        words = vocabulary([word for word, count in counts.items() if count >= least])
        kept = [sorted(word for word in one if counts[word] >= least) for one in self.said.values()]
        users = numbers(list(self.said), user_ids)
        lengths = [len(one) for one in kept]
        columns = numbers([word for one in kept for word in one], words)
        entries = np.ones(len(columns), dtype=bool), (np.repeat(users, lengths), columns)
        rows = csr_array(entries, shape=(len(user_ids), len(words)))
        rows.sort_indices()
        return ListenerWords(tuple(words.tolist()), rows, self.texts, self.categories)


def choose_users(config: TrainingConfig) -> Choose:
    """What chooses the columns of a file of listeners."""

    def choose(path: Path, columns: Sequence[str]) -> tuple[Schema, dict[str, str]]:
        return user_columns(path, columns, config.data)

    return choose


def read_users(channel: Channel, config: TrainingConfig, engine: Engine, ledger: Ledger) -> Listeners:
    """The distinct listeners of the channel; the words of one in several rows are put together."""
    ids: set[str] = set()
    said: dict[str, set[str]] = {}
    rows = 0
    for part in read(channel, _prepare, choose_users(config), engine, ledger):
        users, attributes = part.result
        rows += len(users.codes)
        names = users.names.to_pylist()
        ids.update(names)
        for word_lists in attributes:
            for code, words in word_lists:
                said.setdefault(names[code], set()).update(words)
    ledger.counts["users.rows_merged"] += rows - len(ids)
    of_kind = {
        kind: sorted(role.partition(":")[2] for role in channel.roles if role.startswith(f"{kind}:")) for kind in ("text", "category")
    }
    return Listeners(list(ids), said, tuple(of_kind["text"]), tuple(of_kind["category"]))


Attributes = list[list[tuple[int, list[str]]]]


def _prepare(
    cells: Mapping[str, pa.ChunkedArray], rows: NDArray[np.int64], roles: dict[str, str], schema: Schema, judge: Judge
) -> tuple[Codes, Attributes]:
    users = codes_of(cells["user"])
    judge.found("missing_id", roles["user"], users.codes < 0, Cells(cells["user"]))
    judge.found("placeholder_id", roles["user"], users.placeholders() & judge.kept, Cells(cells["user"]))
    kept = users.take(judge.kept)
    attributes = [list(_words(role, codes_of(cells[role]), judge.kept, kept)) for role in sorted(roles) if role != "user"]
    return kept, attributes


def _words(role: str, column: Codes, which: NDArray[np.bool_], users: Codes) -> Iterator[tuple[int, list[str]]]:
    """For each row that is kept and has a value: the code of its listener, and the words of the value."""
    kind, _, name = role.partition(":")
    of_value = [text_words(name, text) if kind == "text" else category_words(name, text) for text in column.names.to_pylist()]
    for user, value in zip(users.codes.tolist(), column.codes[which].tolist(), strict=True):
        if value >= 0 and of_value[value]:
            yield user, of_value[value]

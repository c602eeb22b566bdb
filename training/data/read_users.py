"""Reads the channel of listeners: their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.data.channel import Channel, Choose, read
from training.data.choose import user_columns
from training.data.engine import Engine
from training.data.events import Codes, codes_of
from training.data.judge import Cells, Judge
from training.data.problems import Ledger
from training.data.schemas import Schema


def choose_users(config: TrainingConfig) -> Choose:
    """What chooses the column of a file of listeners."""

    def choose(path: Path, columns: Sequence[str]) -> tuple[Schema, dict[str, str]]:
        return user_columns(path, columns, config.data)

    return choose


def read_users(channel: Channel, config: TrainingConfig, engine: Engine, ledger: Ledger) -> list[str]:
    """The distinct ids of the channel, in no order that means anything."""
    ids: set[str] = set()
    rows = 0
    for part in read(channel, _prepare, choose_users(config), engine, ledger):
        rows += len(part.result.codes)
        ids.update(part.result.names.to_pylist())
    ledger.counts["users.rows_merged"] += rows - len(ids)
    return list(ids)


def _prepare(cells: Mapping[str, pa.ChunkedArray], rows: NDArray[np.int64], roles: dict[str, str], schema: Schema, judge: Judge) -> Codes:
    users = codes_of(cells["user"])
    judge.found("missing_id", roles["user"], users.codes < 0, Cells(cells["user"]))
    judge.found("placeholder_id", roles["user"], users.placeholders() & judge.kept, Cells(cells["user"]))
    return users.take(judge.kept)

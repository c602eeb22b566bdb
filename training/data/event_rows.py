"""The events of a log as they are, one row each and not counted: for those who hand them on to another system."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from training.config import TrainingConfig
from training.data.channel import Channel, ChannelPath, look_at
from training.data.dataset import MISSING_TIME, Dataset
from training.data.engine import LocalEngine
from training.data.events import Codes, Events
from training.data.extract import EVENT_CHANNELS, MEGABYTE
from training.data.problems import Ledger
from training.data.read_events import EventReader, choose_events


def event_rows(channels: Mapping[str, ChannelPath], config: TrainingConfig, dataset: Dataset) -> Iterator[pa.Table]:
    """Yields the events of which ``extract`` made the dataset: kept, dropped, sampled and renamed as it did.

    Columns: user, item (large_string), timestamp (int64, seconds since 1970, null where unknown); and where some file has them,
    event_type (large_string, null) and event_value (float64, null). What is rare (``data_min_item_events``, ...) is there.
    """
    ledger = Ledger(dataclasses.asdict(config.quality))
    engine = LocalEngine()
    paths = {name: channels[name] for name in EVENT_CHANNELS if name in channels}
    piece_bytes = int(config.data.partition_mb * MEGABYTE)
    channel = look_at("interactions", paths, choose_events(config, True), engine, piece_bytes, False, ledger)
    reader = EventReader(channel, config, engine, ledger, time.time(), aliases=dataset.aliases)
    if dataset.catalogue is not None:
        reader.known = frozenset(dataset.item_ids[dataset.catalogue.known].tolist())
        reader.only_known = bool(config.sample.songs)
    for events in reader.events():
        yield _table(events, channel)


def _table(events: Events, channel: Channel) -> pa.Table:
    columns = {"user": _texts(events.users), "item": _texts(events.items)}
    n = len(events)
    has_times = "timestamp" in channel.roles  # otherwise they may be positions in a list
    columns["timestamp"] = pa.array(events.seconds, mask=events.seconds == MISSING_TIME) if has_times else pa.nulls(n, pa.int64())
    if "event_type" in channel.roles:
        columns["event_type"] = pa.nulls(n, pa.large_string()) if events.kinds is None else _texts(events.kinds)
    if "event_value" in channel.roles:
        values = np.full(n, np.nan) if events.values is None else events.values
        columns["event_value"] = pa.array(values, mask=np.isnan(values))
    return pa.table(columns)


def _texts(column: Codes) -> pa.Array:
    return column.names.take(pa.array(column.codes, mask=column.codes < 0))

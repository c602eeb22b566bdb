"""Reads a channel of events: samples them if asked to, maps ids, judges events of unknown songs, and counts what is left."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from training.config import TrainingConfig
from training.data.channel import Channel, Choose, Part, read
from training.data.choose import event_columns
from training.data.counting import EventCounter, EventRows
from training.data.engine import Engine
from training.data.entries import Entries
from training.data.errors import UserDataError
from training.data.events import Events, EventSettings, prepare_events, renamed
from training.data.judge import Judge
from training.data.problems import Ledger
from training.data.sample import Limit, Limits, hash_ids, smallest, smallest_of
from training.data.schemas import Schema

log = logging.getLogger(__name__)


@dataclass
class EventReader:
    """One channel of events. ``strict``: a column that the user named must be there. ``now``: seconds since 1970.

    ``aliases``: ids of songs that lead to another. ``known``: the ids of the catalogue, None if there is none; ``only_known``: events of
    other songs are left out, because the catalogue was sampled.
    """

    channel: Channel
    config: TrainingConfig
    engine: Engine
    ledger: Ledger
    now: float
    strict: bool = True
    aliases: dict[str, str] = field(default_factory=dict)
    known: frozenset[str] | None = None
    only_known: bool = False

    def entries(self) -> Entries | None:
        """The counted events, or None if the channel has no rows. Raises ``UserDataError`` if none of its rows can be used."""
        name = self.channel.name
        if self.strict and self.channel.roles:
            check_settings(name, self.channel.roles, self.config)
        kinds: set[str] = set()
        with EventCounter() as counter:
            for events in self.events(kinds):
                if len(events):
                    counter.add(_rows(events))
            if not self.ledger.counts[f"{name}.rows_read"]:
                return None
            self.ledger.refuse()
            self._point_out_unused(kinds)
            entries = counter.finish(self.config.data.weighting, name, self.ledger.counts)
            entries = replace(entries, by_position=self._by_position())
        if not len(entries):
            raise UserDataError(self._nothing())
        return entries

    def events(self, kinds: set[str] | None = None) -> Iterator[Events]:
        """The events that are kept, part by part. Adds the types that occur to ``kinds``."""
        limits = self._limits()
        settings = self._settings(limits.events is not None, limits)
        ties = limits.events.ties if limits.events is not None else -1
        for part in self._read(settings, self.ledger):
            events = part.result
            if kinds is not None:
                kinds |= events.kinds_seen
            if ties >= 0 and limits.events is not None and events.hashes is not None:
                events, ties = self._without_ties(events, limits.events, ties)
            if self.aliases:
                events = replace(events, items=renamed(events.items, self.aliases))
            yield self._judged(events, part)

    # --- sampling ------------------------------------------------------------------------------------------------------------------

    def _limits(self) -> Limits:
        """Finds, in one more pass over the channel (of a pipe, one more epoch) for each, the hash below which what is sampled is kept."""
        sample, limits = self.config.sample, Limits(self.config.seed)
        songs = 0 if self.only_known else sample.songs
        if not any((songs, sample.listeners, sample.events)):
            return limits
        if songs:
            limits = replace(limits, songs=self._ids_limit(limits, lambda events: events.items.names, songs))
        if sample.listeners:
            limits = replace(limits, listeners=self._ids_limit(limits, lambda events: events.users.names, sample.listeners))
        if sample.events:
            settings = self._settings(True, limits)
            found = (self._with_known_songs(part.result).hashes for part in self._read(settings, Ledger(self.ledger.policies)))
            limits = replace(limits, events=smallest_of(found, sample.events))
        return limits

    def _ids_limit(self, limits: Limits, ids_of: Callable[[Events], pa.Array], n: int) -> Limit:
        settings = self._settings(False, limits)
        ids: set[str] = set()
        for part in self._read(settings, Ledger(self.ledger.policies)):
            ids.update(ids_of(self._with_known_songs(part.result)).to_pylist())
        return smallest(hash_ids(sorted(ids), limits.seed), n)

    def _with_known_songs(self, events: Events) -> Events:
        """Without the events that are dropped since the catalogue lacks their song: they are not what a sample is taken of."""
        if self.known is None or not (self.only_known or self.ledger.action("orphan_event") == "drop"):
            return events
        names = (self.aliases.get(name, name) for name in events.items.names.to_pylist())
        known = np.array([*(name in self.known for name in names), False], dtype=bool)
        return events.take(known[events.items.codes])

    def _without_ties(self, events: Events, limit: Limit, ties: int) -> tuple[Events, int]:
        assert events.hashes is not None
        equal = np.flatnonzero(events.hashes == limit.below)
        keep = np.ones(len(events), dtype=bool)
        keep[equal[ties:]] = False
        self.ledger.counts[f"{self.channel.name}.dropped_not_sampled"] += int((~keep).sum())
        return events.take(keep), ties - min(ties, len(equal))

    # --- reading -------------------------------------------------------------------------------------------------------------------

    def _by_position(self) -> bool:
        """Whether places in a list tell the order. Raises ``UserDataError`` where pipes, which can't be looked at before, hold both."""
        roles = [set(roles) for _, roles in self.channel.chosen.values()]
        timed, placed = any("timestamp" in one for one in roles), any("position" in one and "timestamp" not in one for one in roles)
        if timed and placed and self.channel.pipes:
            raise UserDataError(
                f"channel {self.channel.name}: one pipe has times, another only positions in a list; name one kind for both "
                "(data_timestamp_column, data_position_column)"
            )
        return placed and not timed

    def _settings(self, hashed: bool, limits: Limits) -> EventSettings:
        return EventSettings(self.config.data, self.now, hashed, limits, by_position="timestamp" not in self.channel.roles)

    def _read(self, settings: EventSettings, ledger: Ledger) -> Iterator[Part[Events]]:
        return read(self.channel, functools.partial(prepare_events, settings=settings), self._choose(), self.engine, ledger)

    def _choose(self) -> Choose:
        return choose_events(self.config, self.strict)

    def _judged(self, events: Events, part: Part[Events]) -> Events:
        """Finds the events of songs that the catalogue does not have."""
        if self.known is None or not len(events):
            return events
        known = np.array([name in self.known for name in events.items.names.to_pylist()], dtype=bool)
        orphans = ~known[events.items.codes]
        judge = Judge(self.channel.name, part.file.name, events.rows + part.rows_before, self.ledger)
        column = self.channel.chosen[part.file.name][1].get("item", "")
        if self.only_known:
            judge.drop("not_sampled", orphans)
            return events.take(judge.kept)
        judge.found("orphan_event", column, orphans, events.items.names.take(pa.array(events.items.codes)))
        return events.take(judge.kept)

    def _point_out_unused(self, kinds: set[str]) -> None:
        wanted = {kind.strip().casefold() for kind in self.config.data.event_weights}
        if self.strict and (unused := wanted - kinds):
            log.warning("event_weights_unused channel=%s types=%s", self.channel.name, ",".join(sorted(unused)))

    def _nothing(self) -> str:
        name = self.channel.name
        rows = self.ledger.counts[f"{name}.rows_read"]
        return f"channel {name}: none of its {rows:,} rows is a usable event ({self.ledger.dropped(name)})"


def choose_events(config: TrainingConfig, strict: bool) -> Choose:
    """What chooses the columns of a file of events."""

    def choose(path: Path, columns: Sequence[str]) -> tuple[Schema, dict[str, str]]:
        return event_columns(path, columns, config.data, strict)

    return choose


def check_settings(name: str, roles: set[str], config: TrainingConfig) -> None:
    """Refuses settings about event types and values if the events have none."""
    data = config.data
    if data.event_weights and "event_type" not in roles:
        raise UserDataError(
            f"data_event_weights is set, but the channel {name} has no column of event types; name it with data_event_type_column"
        )
    by_value = data.weighting in ("value", "log_value")
    if (by_value or data.min_event_value is not None) and "event_value" not in roles:
        setting = f"data_weighting={data.weighting}" if by_value else "data_min_event_value"
        raise UserDataError(f"{setting} needs event values, but the channel {name} has none; name the column with data_event_value_column")


def _rows(events: Events) -> EventRows:
    users, items = events.users, events.items
    return EventRows(users.names, users.codes, items.names, items.codes, events.weights, events.seconds)

"""From the channels of a training job to a `Dataset`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from training.config import TrainingConfig
from training.data.catalogue import build_catalogue
from training.data.channel import Channel, ChannelPath, Choose, look_at
from training.data.choose import song_columns
from training.data.compare import compare_songs, compare_test
from training.data.dataset import Dataset, Step, no_interactions
from training.data.engine import Engine, LocalEngine
from training.data.entries import Entries, drop_rare
from training.data.errors import UserDataError
from training.data.ids import numbers, vocabulary
from training.data.merge import Merged, merge_rows
from training.data.problems import Ledger
from training.data.read_events import EventReader, choose_events
from training.data.read_users import Listeners, choose_users, read_users
from training.data.sample import hash_ids, kept, smallest
from training.data.songs import Songs, read_songs

EVENT_CHANNELS = ("interactions", "train")
CHANNELS = (*EVENT_CHANNELS, "items", "users", "test")
MEGABYTE = 1 << 20


def extract(
    channels: Mapping[str, ChannelPath], config: TrainingConfig, engine: Engine | None = None, sharded: Collection[str] = ()
) -> Dataset:
    """Reads the channels (name to folder, file or pipe) and returns one `Dataset`.

    `interactions` (or `train`, or both together): events. `items`: the song catalogue. `users`: listeners; those without events
    become known, too. `test`: events held out by the user; its unknown songs and listeners are added to the vocabularies. Other
    channels are not read. A channel may be missing or empty, but interactions or items must hold something. The order of rows and
    of files does not matter, nor which engine reads them. `sharded`: channels of which each host has a part. Raises `UserDataError`.
    """
    return _Extraction(channels, config, engine or LocalEngine(), frozenset(sharded)).run()


@dataclass
class _Extraction:
    channels: Mapping[str, ChannelPath]
    config: TrainingConfig
    engine: Engine
    sharded: frozenset[str]

    def run(self) -> Dataset:
        """Songs first: events are judged by which songs are known."""
        self.ledger = Ledger(dataclasses.asdict(self.config.quality))
        self.steps: list[Step] = []
        self.now = time.time()
        events_channel = self._look("interactions", EVENT_CHANNELS, choose_events(self.config, True))
        strict = not (events_channel.plans or events_channel.pipes)
        choose_songs = _song_chooser(self.config, strict)
        songs_channel = self._look("items", ("items",), choose_songs)
        test_channel = self._look("test", ("test",), choose_events(self.config, False))
        users_channel = self._look("users", ("users",), choose_users(self.config))

        songs, merged = self._songs(songs_channel, strict)
        events = self._events(events_channel, merged)
        if events is None and songs is None:
            raise UserDataError(_nothing(self.channels, self.ledger))
        test = self._test(test_channel, merged) if "test" in self.channels else None
        listeners = read_users(users_channel, self.config, self.engine, self.ledger)
        self.ledger.refuse()
        return self._dataset(songs, merged, events, test, listeners, [events_channel, songs_channel, test_channel, users_channel])

    def _look(self, name: str, names: Collection[str], choose: Choose) -> Channel:
        paths = {one: self.channels[one] for one in names if one in self.channels}
        sharded = any(one in self.sharded for one in names)
        return look_at(name, paths, choose, self.engine, int(self.config.data.partition_mb * MEGABYTE), sharded, self.ledger)

    def _songs(self, channel: Channel, strict: bool) -> tuple[Songs | None, Merged | None]:
        songs = read_songs(channel, self.config.data, self.config.features, strict, self.engine, self.ledger)
        self.ledger.refuse()
        if songs is None:
            return None, None
        rows = self.ledger.counts["items.rows_read"]
        self._step("read", "items", rows, songs.table.num_rows)
        if not songs.table.num_rows:
            raise UserDataError(f"channel items: none of its {rows} rows is a usable song ({self.ledger.dropped('items')})")
        merged = merge_rows(songs, self.ledger)
        self._step("merge the rows of one id", "items", songs.table.num_rows, len(merged.ids) + len(merged.aliases))
        if merged.aliases:
            self._step("merge the songs of one title and artist", "items", len(merged.ids) + len(merged.aliases), len(merged.ids))
        if wanted := self.config.sample.songs:
            hashes = hash_ids(merged.ids, self.config.seed)
            before, merged = len(merged.ids), merged.select(kept(hashes, smallest(hashes, wanted)))
            self._step("sample songs", "items", before, len(merged.ids), {"sample_songs": str(wanted)})
        return songs, merged

    def _events(self, channel: Channel, merged: Merged | None) -> Entries | None:
        reader = self._reader(channel, merged, strict=True)
        entries = reader.entries()
        if entries is None:
            return None
        self._count_steps(channel.name, entries)
        data = self.config.data
        left = drop_rare(entries, data.min_item_events, data.min_user_events, channel.name, self.ledger.counts)
        if len(left) < len(entries):
            settings = {"data_min_item_events": str(data.min_item_events), "data_min_user_events": str(data.min_user_events)}
            self._step("drop rare songs and short histories", channel.name, len(entries), len(left), settings)
        if not len(left):
            raise UserDataError("no event is left; lower data_min_item_events or data_min_user_events")
        return left

    def _test(self, channel: Channel, merged: Merged | None) -> Entries | None:
        sample = dataclasses.replace(self.config.sample, events=0, listeners=0, songs=0)
        reader = self._reader(channel, merged, strict=False)
        reader.config = dataclasses.replace(self.config, sample=sample)
        entries = reader.entries()
        if entries is not None:
            self._count_steps(channel.name, entries)
        return entries

    def _reader(self, channel: Channel, merged: Merged | None, strict: bool) -> EventReader:
        reader = EventReader(channel, self.config, self.engine, self.ledger, self.now, strict)
        if merged is not None:
            reader.aliases, reader.known = merged.aliases, frozenset(merged.ids)
            reader.only_known = bool(self.config.sample.songs)
        return reader

    def _count_steps(self, name: str, entries: Entries) -> None:
        counts = self.ledger.counts
        dropped = sum(count for key, count in counts.items() if key.startswith(f"{name}.dropped_"))
        dropped -= counts[f"{name}.dropped_weight_not_positive"]
        rows = counts[f"{name}.rows_read"]
        self._step("read", name, rows, rows - dropped)
        self._step(
            "count the events of a listener and a song", name, rows - dropped, len(entries), {"weighting": self.config.data.weighting}
        )

    def _step(self, what: str, channel: str, rows_in: int, rows_out: int, settings: dict[str, str] | None = None) -> None:
        self.steps.append(Step(what, channel, int(rows_in), int(rows_out), settings or {}))

    def _dataset(
        self,
        songs: Songs | None,
        merged: Merged | None,
        events: Entries | None,
        test: Entries | None,
        listeners: Listeners,
        channels: list[Channel],
    ) -> Dataset:
        counts = self.ledger.counts
        song_ids = merged.ids if merged is not None else []
        both = [entries for entries in (events, test) if entries is not None]
        item_ids = vocabulary(song_ids, *(entries.used_items() for entries in both))
        user_ids = vocabulary(listeners.ids, *(entries.used_users() for entries in both))
        if merged is not None and events is not None:
            compare_songs(events, song_ids, counts)
        if test is not None and events is not None:
            compare_test(events, test, counts)
        catalogue = None
        if songs is not None and merged is not None:
            places = numbers(song_ids, item_ids) if len(song_ids) < len(item_ids) else np.arange(len(song_ids), dtype=np.int32)
            catalogue = build_catalogue(songs, merged, places, len(item_ids), self.ledger)
        interactions = events.numbered(user_ids, item_ids) if events is not None else no_interactions()
        counts["interactions.entries"] = len(interactions)
        counts["items.songs"] = len(song_ids)
        counts["test.entries"] = len(test) if test is not None else 0
        counts["users.without_events"] = len(user_ids) - (len(events.used_users()) if events is not None else 0)
        return Dataset(
            item_ids=item_ids,
            user_ids=user_ids,
            interactions=interactions,
            catalogue=catalogue,
            test=test.numbered(user_ids, item_ids) if test is not None else None,
            counts={key: count for key, count in sorted(counts.items()) if count},
            ledger=self.ledger,
            steps=self.steps,
            files=[file for channel in channels for file in channel.files],
            aliases=merged.aliases if merged is not None else {},
            listener_words=listeners.words(user_ids, self.config.words.min_listeners),
        )


def _song_chooser(config: TrainingConfig, strict: bool) -> Choose:
    return lambda path, columns: song_columns(path, columns, config.data, config.features, strict)


def _nothing(channels: Mapping[str, ChannelPath], ledger: Ledger) -> str:
    given = ", ".join(f"{name} ({path})" for name, path in sorted(channels.items())) or "none"
    n_files = ledger.counts["interactions.files_read"] + ledger.counts["items.files_read"]
    return (
        "no data to train on: the channel interactions (or train) with listening events, or items with a song catalogue, has to hold "
        f"at least one row in CSV, Parquet or JSON Lines; channels given: {given}; files read in them: {n_files}, none with a row"
    )

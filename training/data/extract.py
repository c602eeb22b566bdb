"""From the channels of a training job to a `Dataset`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.data.channel import read_channel
from training.data.columns import EVENT_ROLES, find_column, missing_column, named_column
from training.data.config import DataConfig
from training.data.dataset import Dataset, no_interactions
from training.data.entries import Entries, drop_rare
from training.data.errors import UserDataError
from training.data.events import read_events
from training.data.ids import vocabulary
from training.data.merge import aligned, merge_songs
from training.data.songs import read_songs
from training.data.values import encode

EVENT_CHANNELS = ("interactions", "train")
CHANNELS = (*EVENT_CHANNELS, "items", "users", "test")


def extract(channels: Mapping[str, Path], data: DataConfig) -> Dataset:
    """Reads the channels (name to folder or file) and returns one `Dataset`.

    `interactions` (or `train`, or both together): events. `items`: the song catalogue. `users`: listeners; those without events
    become known, too. `test`: events held out by the user; its unknown songs and listeners are added to the vocabularies. Other
    channels are not read. A channel may be missing or empty, but interactions or items must hold something. The order of rows and
    of files does not matter. Raises `UserDataError`.
    """
    counts: Counter[str] = Counter()
    event_paths = [channels[name] for name in EVENT_CHANNELS if name in channels]
    events = read_events("interactions", event_paths, data, True, counts)
    song_paths = [channels["items"]] if "items" in channels else []
    song_columns = read_songs(song_paths, data, events is None, counts)
    if events is None and song_columns is None:
        raise UserDataError(_nothing(channels, counts))
    if events is not None:
        events = drop_rare(events, data.min_item_events, data.min_user_events, "interactions", counts)
        if not len(events):
            raise UserDataError("no event is left; lower data_min_item_events or data_min_user_events")
    test = read_events("test", [channels["test"]], data, False, counts) if "test" in channels else None
    listeners = _read_users(channels["users"], data, counts) if "users" in channels else []

    song_ids, catalogue = merge_songs(song_columns, counts) if song_columns is not None else ([], None)
    both = [entries for entries in (events, test) if entries is not None]
    item_ids = vocabulary(song_ids, *(entries.used_items() for entries in both))
    user_ids = vocabulary(listeners, *(entries.used_users() for entries in both))
    if not len(item_ids):
        raise UserDataError(f"channel items: none of its {counts['items.rows_read']} rows has an id")
    if catalogue is not None and events is not None:
        _compare(events, song_ids, counts)
    if test is not None and events is not None:
        _compare_test(events, test, counts)
    dataset = Dataset(
        item_ids=item_ids,
        user_ids=user_ids,
        interactions=events.numbered(user_ids, item_ids) if events is not None else no_interactions(),
        catalogue=aligned(song_ids, catalogue, item_ids) if catalogue is not None else None,
        test=test.numbered(user_ids, item_ids) if test is not None else None,
    )
    counts["interactions.entries"] = len(dataset.interactions)
    counts["items.songs"] = len(song_ids)
    counts["test.entries"] = len(dataset.test or ())
    counts["users.without_events"] = len(user_ids) - len(events.used_users() if events is not None else ())
    dataset.counts.update({key: count for key, count in sorted(counts.items()) if count})
    return dataset


def _read_users(path: Path, config: DataConfig, counts: Counter[str]) -> list[str]:
    def choose(file: Path, columns: Sequence[str]) -> dict[str, str]:
        names = EVENT_ROLES["user"]
        column = (named_column(columns, config.user_column) if config.user_column else None) or find_column(columns, names)
        if column is None:
            raise missing_column(file, columns, "the listener", config.user_column, names, "data_user_column")
        return {"user": column}

    columns = read_channel("users", [path], choose, counts)
    if columns is None:
        return []
    ids, codes = encode(columns["user"])
    counts["users.dropped_missing_id"] += int((codes < 0).sum())
    counts["users.rows_merged"] += int((codes >= 0).sum()) - len(ids)
    return ids


def _compare(events: Entries, song_ids: list[str], counts: Counter[str]) -> None:
    """Counts the songs that only one side knows; if no song is on both, the ids of one side are not those of the other."""
    played = events.used_items()
    unknown = set(played).difference(song_ids)
    if song_ids and len(unknown) == len(played):
        raise UserDataError(
            f'none of the {len(played)} songs in the interactions is in the catalogue: the interactions have ids like "{played[0]}", '
            f'the catalogue like "{song_ids[0]}"; name the column that both share with data_item_column'
        )
    counts["interactions.songs_not_in_catalogue"] += len(unknown)
    counts["items.songs_without_events"] += len(song_ids) - (len(played) - len(unknown))


def _compare_test(events: Entries, test: Entries, counts: Counter[str]) -> None:
    """Counts what no model can find: songs that a listener has in both channels (what is known is not recommended), and the unknown."""
    listeners, songs = set(events.used_users()), set(events.used_items())
    known = {(events.user_ids[u], events.item_ids[i]) for u, i in zip(events.users.tolist(), events.items.tolist(), strict=True)}
    pairs = [(test.user_ids[u], test.item_ids[i]) for u, i in zip(test.users.tolist(), test.items.tolist(), strict=True)]
    counts["test.entries_also_in_interactions"] += sum(pair in known for pair in pairs)
    counts["test.entries_of_unknown_listeners"] += sum(user not in listeners for user, _ in pairs)
    counts["test.entries_of_songs_without_events"] += sum(song not in songs for _, song in pairs)
    for kind, why in (
        ("entries_also_in_interactions", "is in the channel interactions, too, and what a listener has played is not recommended again"),
        ("entries_of_unknown_listeners", "is of a listener of the channel interactions"),
    ):
        if counts[f"test.{kind}"] == len(pairs):
            word = "every one" if kind.endswith("interactions") else "none"
            raise UserDataError(f"channel test: {word} of its {len(pairs)} events {why}; give it events that were held out of interactions")


def _nothing(channels: Mapping[str, Path], counts: Counter[str]) -> str:
    given = ", ".join(f"{name} ({path})" for name, path in sorted(channels.items())) or "none"
    n_files = counts["interactions.files_read"] + counts["items.files_read"]
    return (
        "no data to train on: the channel interactions (or train) with listening events, or items with a song catalogue, has to hold "
        f"at least one row in CSV, Parquet or JSON Lines; channels given: {given}; files read in them: {n_files}, none with a row"
    )

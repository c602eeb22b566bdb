"""What training reads: its channels, what each holds, and in which forms it may come. Imports nothing heavy: they are checked first."""

from __future__ import annotations

from dataclasses import dataclass

CSV = ("text/csv", "text/tab-separated-values")
JSON = ("application/json", "application/jsonlines", "application/x-jsonlines", "application/jsonl", "application/x-ndjson")
PARQUET = ("application/x-parquet", "application/parquet", "application/vnd.apache.parquet")
ROWS = (*CSV, *JSON, *PARQUET)
ARCHIVES = ("application/x-sagemaker-model", "application/x-tar", "application/gzip", "application/x-gzip")
MODEL = "model"


@dataclass(frozen=True)
class ChannelKind:
    """One channel. ``content_types``: what it may hold; ``streams``: those of them that can be read from a pipe, once and in order.

    ``whole``: it must be there on every host, and not in parts. ``teaches``: at least one channel of this kind has to be given.
    """

    name: str
    help: str
    content_types: tuple[str, ...] = ROWS
    streams: tuple[str, ...] = (*CSV, *JSON)
    whole: bool = False
    teaches: bool = False


KINDS: dict[str, ChannelKind] = {
    kind.name: kind
    for kind in (
        ChannelKind("interactions", "who listened to what: CSV, JSON Lines or Parquet, possibly compressed", teaches=True),
        ChannelKind("train", "another name for interactions", teaches=True),
        ChannelKind("items", "the song catalogue", teaches=True),
        ChannelKind("users", "listeners or playlists: what they are called and are"),
        ChannelKind("test", "events of known listeners to evaluate on, in place of a hold-out of our own"),
        ChannelKind(MODEL, "an earlier model, to train again without a new search: model.tar.gz or its folder", ARCHIVES, (), whole=True),
    )
}

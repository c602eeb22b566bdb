"""Makes a music catalogue and the listening events of people with tastes, all invented, the same for the same seed.

    scripts/make_dataset data                                        # 5,000 songs, 2,000 listeners
    scripts/make_dataset data --songs 100000 --listeners 25000 --compress

writes `data/items/songs.csv`, in the 39 columns of the public Spotify songs file, and `data/interactions/events.csv`, in the columns
of Amazon Personalize: the two channels that training reads.
"""

import argparse
import csv
import gzip
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from scripts.music_columns import HEADER, rows, song_columns
from scripts.music_listening import EVENT_TYPES, Events, listen
from scripts.music_world import make_world
from training.data.ids import song_key

MAX_SONGS = 2_000_000
EVENT_HEADER = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE")


def make_dataset(
    out_dir: Path,
    songs: int = 5000,
    listeners: int = 2000,
    events_per_listener: float = 40,
    seed: int = 7,
    compress: bool = False,
    lyrics_lines: int = 8,
) -> dict[str, int]:
    """Writes the two channels below `out_dir` and returns how many songs, listeners, rows of songs and events they hold.

    Files of the same arguments are equal byte for byte. About 1 % of the songs are new: nobody has played them. Raises `ValueError`
    for sizes that cannot be made.
    """
    if not 1 <= songs <= MAX_SONGS or listeners < 1 or events_per_listener < 1 or lyrics_lines < 0:
        raise ValueError(f"songs has to be 1 to {MAX_SONGS}, listeners and events per listener at least 1, lyrics lines at least 0")
    rng = np.random.default_rng(seed)
    world = make_world(songs, rng)
    events = listen(world, listeners, events_per_listener, rng)
    columns = song_columns(world, lyrics_lines, rng)
    ending = ".csv.gz" if compress else ".csv"
    n_rows = _write(out_dir / "items" / f"songs{ending}", HEADER, rows(columns, rng))
    ids = [song_key(artist, title) for artist, title in zip(columns["Artist(s)"], columns["song"], strict=True)]
    n_events = _write(out_dir / "interactions" / f"events{ending}", EVENT_HEADER, _event_rows(events, ids, listeners))
    return {"songs": songs, "listeners": listeners, "song_rows": n_rows, "events": n_events}


def _event_rows(events: Events, ids: list[str], n_listeners: int) -> Iterator[tuple[str, str, int, str]]:
    names = [f"listener-{number:0{len(str(n_listeners))}d}" for number in range(1, n_listeners + 1)]
    columns = (events.listeners.tolist(), events.songs.tolist(), events.seconds.tolist(), events.types.tolist())
    for listener, song, seconds, kind in zip(*columns, strict=True):
        yield names[listener], ids[song], seconds, EVENT_TYPES[kind]


def _write(path: Path, header: Sequence[str], lines: Iterable[Sequence[object]]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with _open_text(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for line in lines:
            writer.writerow(line)
            written += 1
    return written


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    if path.suffix != ".gz":
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    # neither the time nor the name of the file goes into the gzip header: same data, same bytes
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed, io.TextIOWrapper(packed, "utf-8", newline="") as text:
        yield text


def main() -> int:
    """Reads the command line, makes the data and says what it made."""
    parser = argparse.ArgumentParser(prog="scripts/make_dataset", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out_dir", type=Path, help="folder in which items/ and interactions/ are made")
    parser.add_argument("--songs", type=int, default=5000, help="distinct songs (default %(default)s)")
    parser.add_argument("--listeners", type=int, default=2000, help="people who listen (default %(default)s)")
    parser.add_argument("--events-per-listener", type=float, default=40, help="events each, on average (default %(default)s)")
    parser.add_argument("--lyrics-lines", type=int, default=8, help="lines in the text of each song (default %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="same seed, same files (default %(default)s)")
    parser.add_argument("--compress", action="store_true", help="write .csv.gz")
    arguments = vars(parser.parse_args())
    try:
        made = make_dataset(**arguments)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print(f"{arguments['out_dir']}: " + ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in made.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

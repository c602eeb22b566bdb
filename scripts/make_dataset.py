"""Makes a music catalogue and the listening events of people with tastes, all invented, the same for the same seed.

    scripts/make_dataset data                                                          # 5,000 songs, 2,000 listeners
    scripts/make_dataset data --songs 100000 --listeners 25000 --compress
    scripts/make_dataset data --song-rows 500000 --lyrics-lines 55 --events none       # 1.2 GB of songs, nobody who listens
    scripts/make_dataset data --songs 100000 --listeners 2500000 --catalogue none --events parquet    # 100 million events

writes `data/items/songs.csv`, in the 39 columns of the public Spotify songs file (or the 20 of the tracks file), and
`data/interactions/events.csv` (or shards of Parquet), in the columns of Amazon Personalize: the two channels that training reads.
Both are made and written in blocks, so that files may be larger than memory.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts import music_columns, music_tracks
from scripts.music_files import EVENT_HEADER, event_rows, write_csv, write_event_shards
from scripts.music_listening import listen
from scripts.music_names import Names, make_names, track_ids
from scripts.music_similar import make_neighbours
from scripts.music_world import make_world

MAX_SONGS = 2_000_000
BLOCK_SONGS = 20_000
CATALOGUES = ("songs", "tracks", "none")
EVENTS = ("csv", "parquet", "none")


@dataclass(frozen=True)
class Catalogue:
    """Which catalogue is written: `rows` rows of `songs` songs. `lines` of lyrics, `between` them."""

    kind: str
    songs: int
    rows: int
    lines: int = 8
    between: str = " "

    @property
    def header(self) -> Sequence[str]:
        return music_tracks.HEADER if self.kind == "tracks" else music_columns.HEADER


def make_dataset(
    out_dir: Path,
    songs: int = 5000,
    listeners: int = 2000,
    events_per_listener: float = 40,
    seed: int = 7,
    compress: bool = False,
    lyrics_lines: int = 8,
    *,
    song_rows: int = 0,
    catalogue: str = "songs",
    events: str = "csv",
    break_lines: bool = False,
) -> dict[str, int]:
    """Writes the two channels below `out_dir` and returns how many songs, listeners, rows of songs and events they hold.

    `song_rows`: exactly so many rows of as many songs as give them, instead of `songs` songs; some songs have several rows. `catalogue`:
    one of `CATALOGUES`; `events`: one of `EVENTS`. `break_lines`: lyrics have newlines in them, as some exports do. Files of the same
    arguments are equal byte for byte. About 1 % of the songs are new: nobody has played them. Raises `ValueError` for sizes that cannot
    be made.
    """
    share = music_tracks.REPEATED if catalogue == "tracks" else music_columns.REPEATED
    songs = round(song_rows / (1 + share)) if song_rows else songs
    if not 1 <= songs <= MAX_SONGS or listeners < 1 or events_per_listener < 1 or lyrics_lines < 0:
        raise ValueError(f"songs has to be 1 to {MAX_SONGS}, listeners and events per listener at least 1, lyrics lines at least 0")
    if catalogue not in CATALOGUES or events not in EVENTS:
        raise ValueError(f"catalogue has to be one of {', '.join(CATALOGUES)}, events one of {', '.join(EVENTS)}")
    ending = ".csv.gz" if compress else ".csv"
    world_rng, name_rng, song_rng, listening_rng = np.random.default_rng(seed).spawn(4)
    names = make_names(make_world(songs, world_rng), name_rng)
    ids = track_ids(songs, name_rng) if catalogue == "tracks" else names.song_keys() if events != "none" else []
    made = {"songs": songs} | ({"listeners": listeners} if events != "none" else {})
    if catalogue != "none":
        what = Catalogue(catalogue, songs, song_rows or round(songs * (1 + share)), lyrics_lines, "\n" if break_lines else " ")
        made["song_rows"] = write_csv(out_dir / "items" / f"songs{ending}", what.header, _song_rows(what, names, ids, song_rng))
    if events != "none":
        blocks = listen(names.world, listeners, events_per_listener, listening_rng)
        folder = out_dir / "interactions"
        if events == "parquet":
            made["events"] = write_event_shards(folder, blocks, ids, listeners)
        else:
            made["events"] = write_csv(folder / f"events{ending}", EVENT_HEADER, event_rows(blocks, ids, listeners))
    return made


def _song_rows(what: Catalogue, names: Names, ids: list[str], rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """The rows of all songs, sorted within each block."""
    more = what.rows - what.songs
    neighbours = make_neighbours(names.world) if what.kind == "songs" else None
    for start in range(0, what.songs, BLOCK_SONGS):
        stop = min(start + BLOCK_SONGS, what.songs)
        block, repeated = np.arange(start, stop), more * stop // what.songs - more * start // what.songs
        if neighbours is not None:
            columns = music_columns.song_columns(names, neighbours, block, what.lines, what.between, rng)
            yield from music_columns.rows(columns, repeated, rng)
        else:
            yield from music_tracks.rows(music_tracks.track_columns(names, ids, block, rng), repeated, rng)


def main() -> int:
    """Reads the command line, makes the data and says what it made."""
    parser = argparse.ArgumentParser(prog="scripts/make_dataset", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path, help="folder in which items/ and interactions/ are made")
    parser.add_argument("--songs", type=int, default=5000, help="distinct songs (default %(default)s)")
    parser.add_argument("--song-rows", type=int, default=0, help="exactly so many rows in the catalogue, instead of --songs")
    parser.add_argument("--listeners", type=int, default=2000, help="people who listen (default %(default)s)")
    parser.add_argument("--events-per-listener", type=float, default=40, help="events each, on average (default %(default)s)")
    parser.add_argument("--lyrics-lines", type=int, default=8, help="lines in the text of each song (default %(default)s)")
    parser.add_argument("--break-lines", action="store_true", help="lyrics with newlines in them")
    parser.add_argument("--catalogue", choices=CATALOGUES, default="songs", help="39 columns, or 20, or none (default %(default)s)")
    parser.add_argument("--events", choices=EVENTS, default="csv", help="in one file, in shards, or none (default %(default)s)")
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

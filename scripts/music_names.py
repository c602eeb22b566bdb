"""How the artists, songs and albums of a world are called, and by which ids its songs go."""

from dataclasses import dataclass

import numpy as np

from scripts.music_words import ALBUM_FORMS, artist_names, distinct_titles, fill, title_numbers
from scripts.music_world import Ints, World
from training.data.ids import song_key

SONGS_PER_ALBUM = 8
ALPHABET = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", dtype="S1")
ID_LENGTH = 22


@dataclass(frozen=True)
class Names:
    """`artists`: by the artist's number. `titles`: all there are, and `title_of` each song's place in them. `albums_of`: how many an
    artist has."""

    world: World
    artists: list[str]
    titles: list[str]
    title_of: Ints
    albums_of: Ints

    def artists_of(self, songs: Ints, separator: str) -> list[str]:
        """The artists of some songs, two of one song with the separator between them."""
        first, second = self.world.artists[songs].tolist(), self.world.guests[songs].tolist()
        return [
            self.artists[artist] + (f"{separator}{self.artists[guest]}" if guest >= 0 else "")
            for artist, guest in zip(first, second, strict=True)
        ]

    def titles_of(self, songs: Ints) -> list[str]:
        """The titles of some songs."""
        return [self.titles[place] for place in self.title_of[songs].tolist()]

    def draw_albums(self, songs: Ints, rng: np.random.Generator) -> list[str]:
        """For some songs one of the albums of their artist."""
        artists = self.world.artists[songs]
        return fill(ALBUM_FORMS, artists * 7919 + rng.integers(0, self.albums_of[artists]) * 104_729)

    def song_keys(self) -> list[str]:
        """The ids of all songs in a catalogue that has none: artists and title."""
        songs = np.arange(len(self.title_of))
        return [song_key(artist, title) for artist, title in zip(self.artists_of(songs, ","), self.titles_of(songs), strict=True)]


def make_names(world: World, rng: np.random.Generator) -> Names:
    """Names everything in a world. No two artists share a name, no two songs of an artist a title."""
    titles = distinct_titles()
    artists = artist_names(int(max(world.artists.max(), world.guests.max())) + 1, rng)
    albums = 1 + np.bincount(world.artists, minlength=len(artists)) // SONGS_PER_ALBUM
    return Names(world, artists, titles, title_numbers(world.artists, len(titles), rng), albums)


def track_ids(n_songs: int, rng: np.random.Generator) -> list[str]:
    """Different ids of 22 letters and digits, as streaming services have them."""
    letters = ALPHABET[rng.integers(0, len(ALPHABET), (n_songs, ID_LENGTH))]
    return [text.decode("ascii") for text in letters.view(f"S{ID_LENGTH}").ravel().tolist()]

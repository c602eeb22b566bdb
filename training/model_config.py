"""The settings of each model."""

from __future__ import annotations

from dataclasses import dataclass

from training.hyperparameters import option


@dataclass(frozen=True)
class NeighboursConfig:
    """Neighbours by cosine (``item_knn``) or Pearson correlation (``pearson``) of who plays a song."""

    neighbours: int = option(100, "most similar songs kept for each song", min=1, max=10_000)
    shrinkage: float = option(10.0, "pulls similarities that rest on few listeners towards zero", min=0, max=1e6)


@dataclass(frozen=True)
class EaseConfig:
    """The learned item-to-item model: dense for small catalogues, local (each song on its nearest songs) for large ones."""

    l2: float = option(4.0, "ridge penalty", min=1e-6, max=1e6)
    neighbours: int = option(200, "songs that each song is regressed on, in the local form", min=1, max=2_000)
    dense_max_items: int = option(4000, "catalogues up to so many songs take the dense form", min=0, max=30_000)
    user_exponent: float = option(0.25, "power of a listener's degree that its rows are divided by", min=0, max=1)
    item_exponent: float = option(0.2, "power of a song's degree that its columns are divided by", min=0, max=1)
    neighbour_exponent: float = option(0.4, "power of a song's strength that its rank as a neighbour is divided by", min=0, max=1)
    dropout: float = option(0.0, "dropout of the diagonal (EDLAE)", min=0, max=0.95)


@dataclass(frozen=True)
class CeaseConfig(EaseConfig):
    """EASE in which each artist, album and genre of the catalogue is one more listener."""

    neighbours: int = option(100, "songs that each song is regressed on, in the local form", min=1, max=2_000)
    artist_weight: float = option(1.0, "weight of an artist's songs to the artist as a listener; 0 leaves artists out", min=0, max=100)
    album_weight: float = option(1.0, "the same of albums", min=0, max=100)
    genre_weight: float = option(0.0, "the same of genres", min=0, max=100)


@dataclass(frozen=True)
class ArtistConfig:
    """Songs of the same artist, those that more listeners know first."""

    exponent: float = option(0.5, "power of a song's share in its artist's listening; 0: all songs of an artist are alike", min=0, max=2)
    neighbours: int = option(200, "songs kept of each artist", min=1, max=10_000)


@dataclass(frozen=True)
class GraphConfig:
    """The item graph: pairs of songs by how many listeners they share, normalised by degrees."""

    neighbours: int = option(500, "strongest songs kept for each song", min=1, max=10_000)
    user_exponent: float = option(1.2, "power of a listener's degree that each pair is divided by", min=0, max=4)
    source_exponent: float = option(0.4, "power of the degree of the song in the history that a pair is divided by", min=0, max=2)
    target_exponent: float = option(0.4, "power of the degree of the recommended song that a pair is divided by", min=0, max=2)
    power: float = option(0.7, "power of the result", min=0.1, max=4)


@dataclass(frozen=True)
class SpectralConfig:
    """Spectral filters: the main directions of taste (GF-CF, BSPM)."""

    factors: int = option(448, "main directions kept", min=1, max=2_048)
    linear: float = option(0.0, "weight of the item graph beside the main directions; GF-CF has 3", min=0, max=100)
    sharpening: float = option(0.0, "how much is sharpened after the blurring (BSPM has 2.5 for Gowalla); slow", min=0, max=10)
    neighbours: int = option(300, "strongest songs kept for each song", min=1, max=10_000)


@dataclass(frozen=True)
class AlsConfig:
    """Matrix factorization of implicit feedback by alternating least squares."""

    factors: int = option(128, "length of a song's vector", min=1, max=1_024)
    iterations: int = option(10, "passes over listeners and songs", min=1, max=200)
    l2: float = option(0.002, "ridge penalty", min=1e-6, max=1e6)
    unobserved_weight: float = option(0.03, "weight of the songs that a listener did not play", min=1e-6, max=10)
    frequency_exponent: float = option(1.0, "power of a row's degree that its penalty grows with", min=0, max=1)
    catalogue_weight: float = option(1.0, "weight of a song to its artist and album as listeners; 0: they are none", min=0, max=100)
    content_strength: float = option(1.0, "events that a song's content weighs beside its own; 0: content says nothing", min=0, max=1e6)


@dataclass(frozen=True)
class ContentConfig:
    """Neighbours by what a song is: artist, genre, audio features, year, lyrics, and the columns that the user named."""

    neighbours: int = option(50, "most similar songs kept for each song", min=1, max=10_000)
    artist_weight: float = option(0.6, "share of the artists in the similarity", min=0, max=100)
    genre_weight: float = option(0.25, "share of the genres in the similarity", min=0, max=100)
    audio_weight: float = option(0.1, "share of the audio features in the similarity", min=0, max=100)
    year_weight: float = option(0.05, "share of the release year in the similarity", min=0, max=100)
    lyrics_weight: float = option(0.1, "share of the lyrics in the similarity", min=0, max=100)
    extra_weight: float = option(0.2, "share of the further columns that the user named in the similarity", min=0, max=100)


@dataclass(frozen=True)
class TransitionsConfig:
    """Which songs come soon after which; needs the time of events, or the positions of songs in playlists."""

    steps: int = option(20, "songs that come at most so many places later are a pair; 1 makes a Markov chain", min=1, max=1_000)
    backward: float = option(1.0, "what a pair counts the other way round: 0 knows only what comes next, 1 only what is near", min=0, max=1)
    from_exponent: float = option(0.5, "power of the listeners of the earlier song that a pair is divided by", min=0, max=1)
    to_exponent: float = option(0.3, "power of the listeners of the later song that a pair is divided by", min=0, max=1)
    neighbours: int = option(200, "most likely songs kept for each song", min=1, max=10_000)
    patience: float = option(15.0, "a song of the history that so many came after counts half; 0: all count alike", min=0, max=1e6)


@dataclass(frozen=True)
class SessionsConfig:
    """The listeners or playlists most like the history, and what else they hold."""

    neighbours: int = option(500, "most similar sessions that vote", min=1, max=10_000)
    max: int = option(100_000, "sessions kept in the model: the latest ones, or a sample where there are no times", min=1, max=10_000_000)
    length_exponent: float = option(0.5, "power of a session's length that its similarity is divided by", min=0, max=1)
    rarity_exponent: float = option(0.5, "power of a song's listeners that its weight in the similarity is divided by", min=0, max=1)
    item_exponent: float = option(0.15, "power of a song's listeners that its score is divided by", min=0, max=1)
    patience: float = option(15.0, "a song of the history that so many came after counts half; 0: all count alike", min=0, max=1e6)
    reach: float = option(30.0, "distance to the latest common song in which a vote falls to 1/e; 0: it does not fall", min=0, max=1e6)
    half_life_days: float = option(0.0, "a session counts half when it ended so long before the latest one; 0: all alike", min=0, max=1e6)


@dataclass(frozen=True)
class WordsConfig:
    """Which songs go with the words that playlists and listeners are called by (the channel users)."""

    min_listeners: int = option(2, "words that fewer listeners have are not learned", min=1, max=1_000_000)
    l2: float = option(10.0, "ridge penalty", min=1e-6, max=1e6)
    item_exponent: float = option(0.1, "power of a song's listeners that its scores are divided by", min=0, max=1)
    max_words: int = option(5_000, "at most so many words are learned, the most common ones", min=1, max=20_000)
    songs: int = option(500, "songs kept for each word, the ones that go with it best", min=1, max=10_000)
    patience: float = option(10.0, "with so many songs in the history words count half; 0: always alike", min=0, max=1e6)


@dataclass(frozen=True)
class PopularityConfig:
    """How many listeners have played a song."""

    half_life_days: float = option(
        0.0, "a play counts half when it is so long before the latest one: trending; 0: all alike", min=0, max=1e6
    )

"""Every setting of a training job, in one typed and frozen place. ``python -m training.config`` prints the README's table."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from training.data.config import DataConfig, FeaturesConfig, QualityConfig, SampleConfig
from training.hyperparameter_values import Option
from training.hyperparameters import ConfigError, option, options_of, parse

__all__ = ["ConfigError", "TrainingConfig"]

MODELS = ("popularity", "item_knn", "pearson", "ease", "als", "content", "transitions", "sessions", "words", "similar_songs")


@dataclass(frozen=True)
class SplitConfig:
    """Who is held out. Listeners are held out whole: a part of their songs is shown, the rest is to be found."""

    test_fraction: float = option(0.1, "share of listeners held out for the report", min=0, max=0.4)
    validation_fraction: float = option(0.1, "share of listeners held out to find the weights of the hybrid", min=0, max=0.4)
    max_test_listeners: int = option(2000, "at most so many listeners in the report", min=1, max=1_000_000)
    max_validation_listeners: int = option(1000, "at most so many listeners to find the weights on", min=1, max=1_000_000)
    shown_fraction: float = option(0.8, "share of a held-out listener's songs that is shown; the rest is to be found", min=0.1, max=0.95)
    min_listener_items: int = option(5, "only listeners with at least so many songs are held out", min=2, max=10_000)


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
class AlsConfig:
    """Matrix factorization of implicit feedback by alternating least squares."""

    factors: int = option(128, "length of a song's vector", min=1, max=1_024)
    iterations: int = option(10, "passes over listeners and songs", min=1, max=200)
    l2: float = option(0.002, "ridge penalty", min=1e-6, max=1e6)
    unobserved_weight: float = option(0.03, "weight of the songs that a listener did not play", min=1e-6, max=10)
    frequency_exponent: float = option(1.0, "power of a row's degree that its penalty grows with", min=0, max=1)


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


@dataclass(frozen=True)
class HybridConfig:
    """The weighted sum of all models, its weights found on the validation listeners."""

    metric: str = option("ndcg", "what the weights are to raise", choices=("recall", "ndcg", "both"))
    pool: int = option(200, "candidates per model and listener that the weights are found on", min=10, max=10_000)


@dataclass(frozen=True)
class EvaluationConfig:
    """The report on the test listeners."""

    k: tuple[int, ...] = option(
        (5, 10, 20),
        "lengths of the list that is judged; the longest is also the one that the weights of the hybrid are found for",
        min=1,
        max=1_000,
        nonempty=True,
    )
    bootstrap_samples: int = option(1000, "samples behind each confidence interval", min=10, max=100_000)


@dataclass(frozen=True)
class TrainingConfig:
    """All settings, one frozen section for each part. A flat name is ``section_field``; the top level has no prefix."""

    models: tuple[str, ...] = option(
        MODELS, "models to train; the hybrid is built over them when there are several", choices=MODELS, nonempty=True
    )
    seed: int = option(42, "of everything random; same seed and data, same model", min=0, max=2**32 - 1)
    threads: int = option(0, "threads for the linear algebra; 0 takes all usable CPUs", min=0, max=1_024)
    data: DataConfig = field(default_factory=DataConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    item_knn: NeighboursConfig = field(default_factory=NeighboursConfig)
    pearson: NeighboursConfig = field(default_factory=NeighboursConfig)
    ease: EaseConfig = field(default_factory=EaseConfig)
    als: AlsConfig = field(default_factory=AlsConfig)
    content: ContentConfig = field(default_factory=ContentConfig)
    popularity: PopularityConfig = field(default_factory=PopularityConfig)
    transitions: TransitionsConfig = field(default_factory=TransitionsConfig)
    sessions: SessionsConfig = field(default_factory=SessionsConfig)
    words: WordsConfig = field(default_factory=WordsConfig)
    hybrid: HybridConfig = field(default_factory=HybridConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    @classmethod
    def from_hyperparameters(cls, hyperparameters: Mapping[str, object]) -> Self:
        """Returns the configuration that SageMaker's flat strings ask for, with defaults for the rest.

        Raises ``ConfigError`` that carries all mistakes: unknown names (with the nearest known one), wrong types, values out of
        range. Keys of the platform are ignored.
        """
        values = parse(cls.options(), hyperparameters)
        config = cls(**{name: values[name] for name in values if name in _field_names(cls)})
        for section in _sections():
            prefix = section + "_"
            own = [field.name for field in dataclasses.fields(getattr(config, section)) if prefix + field.name in values]
            changed = dataclasses.replace(getattr(config, section), **{name: values[prefix + name] for name in own})
            config = dataclasses.replace(config, **{section: changed})
        mistakes = config._contradictions()
        if mistakes:
            raise ConfigError(mistakes)
        return config

    @classmethod
    def options(cls) -> list[Option]:
        """Returns every hyperparameter, in the order of the fields."""
        nested = [item for section, kind in _sections().items() for item in options_of(kind, section + "_")]
        return options_of(cls) + nested

    @classmethod
    def describe(cls) -> list[tuple[str, str, str, str, str]]:
        """Returns a row for each hyperparameter: name, type, default, what is allowed, and what it is for."""
        return [(item.name, item.type_name, _spelled(item.default), item.allowed, item.help) for item in cls.options()]

    def to_flat_dict(self) -> dict[str, Any]:
        """Returns every value by its flat name, in JSON's types; ``from_hyperparameters`` reads it back to an equal object."""
        sources = [("", self)] + [(section + "_", getattr(self, section)) for section in _sections()]
        values = {
            item.name: getattr(part, item.name.removeprefix(prefix)) for prefix, part in sources for item in options_of(type(part), prefix)
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def _contradictions(self) -> list[str]:
        """Returns what is wrong with values that are each fine alone."""
        content = self.content
        if content.artist_weight + content.genre_weight + content.audio_weight + content.year_weight <= 0:
            return ["content_artist_weight, content_genre_weight, content_audio_weight and content_year_weight are all 0: raise one"]
        return []


def _sections() -> dict[str, Any]:
    """Returns the class of each section by its name."""
    return {name: hint for name, hint in typing.get_type_hints(TrainingConfig).items() if dataclasses.is_dataclass(hint)}


def _field_names(kind: type) -> set[str]:
    return {item.name for item in dataclasses.fields(kind)}


def _spelled(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={entry}" for name, entry in value.items())
    if isinstance(value, tuple):
        return ",".join(str(entry) for entry in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def markdown_table() -> str:
    """Returns the table of all hyperparameters that the README holds between its markers."""
    lines = ["| hyperparameter | type | default | allowed | what it is for |", "|---|---|---|---|---|"]
    for name, kind, default, allowed, help in TrainingConfig.describe():
        spelled = "`" + default.replace("|", "\\|") + "`" if default else ""
        cells = (f"`{name}`", kind, spelled, allowed, help.replace("|", "\\|"))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown_table())

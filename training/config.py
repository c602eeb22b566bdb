"""Every setting of a training job, in one typed and frozen place. ``python -m training.config`` prints the README's table."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from training.data.config import DataConfig, FeaturesConfig, QualityConfig, SampleConfig
from training.hyperparameter_values import Option, shown
from training.hyperparameters import ConfigError, option, options_of, parse
from training.model_config import (
    AlsConfig,
    ArtistConfig,
    CeaseConfig,
    ContentConfig,
    EaseConfig,
    GraphConfig,
    NeighboursConfig,
    PopularityConfig,
    SessionsConfig,
    SpectralConfig,
    TransitionsConfig,
    WordsConfig,
)

__all__ = ["ConfigError", "TrainingConfig"]

MODELS = (
    *("popularity", "item_knn", "pearson", "ease", "cease", "als", "content", "artist", "transitions", "sessions", "words"),
    *("similar_songs", "graph", "spectral"),
)
SLOW_OR_SPECIAL = ("graph", "spectral")  # trained when they are asked for
# How a machine is used, which changes no model. (memory_limit_gb does, where memory is short; but it is a fact of the machine.)
OF_THE_MACHINE = ("threads", "memory_limit_gb", "data_engine", "data_dask_from_mb", "data_partition_mb")


@dataclass(frozen=True)
class SplitConfig:
    """What is held out, to find the hybrid's weights on, and for the report."""

    kind: str = option(
        "auto",
        "what is held out: auto = listener, and to find weights for a given test channel time or block; "
        "listener = whole listeners, a part of whose songs is shown; random = a random part of a listener's songs; "
        "time = all that was played last, by anyone; last = each listener's last song; song = songs with all their events (cold start); "
        "block = songs that belong together, of half of the listeners",
        choices=("auto", "listener", "random", "time", "last", "song", "block"),
    )
    test_fraction: float = option(
        0.1,
        "share held out for the report: of listeners, of a listener's songs (random), of events (time), of songs (song)",
        min=0,
        max=0.4,
    )
    validation_fraction: float = option(0.1, "share held out likewise to find the weights of the hybrid", min=0, max=0.4)
    max_test_listeners: int = option(2000, "at most so many listeners in the report", min=1, max=1_000_000)
    max_validation_listeners: int = option(1000, "at most so many listeners to find the weights on", min=1, max=1_000_000)
    shown_fraction: float = option(0.8, "share of a held-out listener's songs that is shown; the rest is to be found", min=0.1, max=0.95)
    min_listener_items: int = option(5, "only listeners with at least so many songs are asked", min=2, max=10_000)
    min_song_listeners: int = option(1, "song: only songs with at least so many listeners are held out", min=1, max=1_000_000)
    song_events: int = option(0, "song: events of each held-out song that stay to be learned from", min=0, max=10_000)
    folds: int = option(
        1,
        "listener, random, song: number of equal, disjoint parts, one of which is the test (in place of the fraction); 1: none",
        min=1,
        max=100,
    )
    fold: int = option(0, "which of the parts, from 0 on, is the test", min=0, max=99)


@dataclass(frozen=True)
class HybridConfig:
    """The weighted sum of all models, its weights found on the validation listeners."""

    metric: str = option("both", "what the weights are to raise", choices=("recall", "ndcg", "both"))
    pool: int = option(200, "candidates per model and listener that the weights are found on", min=10, max=10_000)
    weights: dict[str, float] = field(
        default_factory=dict,
        metadata={"help": 'share of each model, as JSON, in place of finding them: {"ease": 1, "spectral": 1}', "min": 0, "max": 1e6},
    )
    compile: bool = option(
        True, "add the item-to-item models into one operator where that keeps the quality; with hybrid_weights, of 100 entries a song"
    )


@dataclass(frozen=True)
class RerankConfig:
    """What requests get that leave the options of the re-ranker out. A request has the same names, without ``rerank_``."""

    candidates: int = option(200, "how many of the best songs are re-ranked", min=1, max=2_000)
    diversity: float = option(0.0, "what unlike songs weigh against accuracy (MMR); 0 off", min=0, max=1)
    calibration: float = option(0.0, "what the genre proportions of the history weigh against accuracy; 0 off", min=0, max=1)
    novelty: float = option(0.0, "what little-known songs weigh against accuracy, below 0 well-known ones; 0 off", min=-1, max=1)
    fairness: float = option(0.0, "what songs of small artists weigh against accuracy; 0 off", min=0, max=1)
    head_share: float = option(0.5, "share of all listening that the large artists have; the others are small", min=0, max=1)
    max_per_artist: int = option(0, "at most so many songs of one artist; 0: no cap", min=0, max=1_000)
    max_per: dict[str, int] = field(
        default_factory=dict,
        metadata={"help": 'at most so many songs of one name of other columns: {"album": 1}', "min": 0, "max": 1_000},
    )
    filter: str = option("", 'which songs may come, as in a request: {"explicit": false}')
    boosts: str = option("", 'what scores are multiplied by, as in a request: [{"filter": {"genre": "jazz"}, "factor": 1.5}]')


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
    sampled_negatives: int = option(
        0,
        "if above 0: report sampled measures, too, each song to be found against so many random ones; they are inconsistent",
        min=0,
        max=10_000,
    )
    single_models_up_to: int = option(
        5000, "report each single model, too, where at most so many listeners are asked; beyond, only the hybrid and popularity", min=0
    )
    details: bool = option(False, "write the split (split.npz), and the lists and figures of each listener (evaluation_details.npz)")


@dataclass(frozen=True)
class TrainingConfig:
    """All settings, one frozen section for each part. A flat name is ``section_field``; the top level has no prefix."""

    models: tuple[str, ...] = option(
        tuple(name for name in MODELS if name not in SLOW_OR_SPECIAL),
        "models to train; the hybrid is built over them when there are several",
        choices=MODELS,
        nonempty=True,
    )
    seed: int = option(42, "of everything random; same seed and data, same model", min=0, max=2**32 - 1)
    tune: str = option(
        "none",
        "auto: find the settings of the models, too, and drop the models that do not help; none: the settings as they are",
        choices=("none", "auto"),
    )
    tune_minutes: float = option(10.0, "time that tune=auto may take, in all of fitting", min=0.1, max=10_000)
    memory_limit_gb: float = option(4.0, "memory in GB that the matrices of songs × songs of one model may take", min=0.1, max=10_000)
    threads: int = option(0, "threads for the linear algebra; 0 takes all usable CPUs", min=0, max=1_024)
    data: DataConfig = field(default_factory=DataConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    item_knn: NeighboursConfig = field(default_factory=NeighboursConfig)
    pearson: NeighboursConfig = field(default_factory=NeighboursConfig)
    artist: ArtistConfig = field(default_factory=ArtistConfig)
    graph: GraphConfig = field(default_factory=GraphConfig)
    ease: EaseConfig = field(default_factory=EaseConfig)
    cease: CeaseConfig = field(default_factory=CeaseConfig)
    spectral: SpectralConfig = field(default_factory=SpectralConfig)
    als: AlsConfig = field(default_factory=AlsConfig)
    content: ContentConfig = field(default_factory=ContentConfig)
    popularity: PopularityConfig = field(default_factory=PopularityConfig)
    transitions: TransitionsConfig = field(default_factory=TransitionsConfig)
    sessions: SessionsConfig = field(default_factory=SessionsConfig)
    words: WordsConfig = field(default_factory=WordsConfig)
    hybrid: HybridConfig = field(default_factory=HybridConfig)
    rerank: RerankConfig = field(default_factory=RerankConfig)
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
        return [(item.name, item.type_name, spelled(item.default), item.allowed, item.help) for item in cls.options()]

    def to_flat_dict(self) -> dict[str, Any]:
        """Returns every value by its flat name, in JSON's types; ``from_hyperparameters`` reads it back to an equal object."""
        sources = [("", self)] + [(section + "_", getattr(self, section)) for section in _sections()]
        values = {
            item.name: getattr(part, item.name.removeprefix(prefix)) for prefix, part in sources for item in options_of(type(part), prefix)
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def _contradictions(self) -> list[str]:
        """Returns what is wrong with values that are each fine alone."""
        mistakes = []
        for name in ("filter", "boosts"):
            if (text := getattr(self.rerank, name)) and not _is_json(text):
                mistakes.append(f"rerank_{name}={shown(text)} must be JSON, as in a request")
        if self.hybrid.weights and self.tune == "auto":
            mistakes.append("tune=auto finds the weights: leave hybrid_weights out, or take tune=none")
        if strangers := sorted(set(self.hybrid.weights) - set(self.models)):
            mistakes.append(f"hybrid_weights names {shown(', '.join(strangers))}, which `models` does not train")
        elif self.hybrid.weights and not sum(self.hybrid.weights.values()) > 0:
            mistakes.append("hybrid_weights are all 0: raise one")
        content, split = self.content, self.split
        if split.fold >= split.folds:
            mistakes.append(f"split_fold must be below split_folds ({split.folds}), and counts from 0")
        if split.folds > 1 and split.kind in ("time", "last", "block"):
            mistakes.append(f"split_folds must be 1 for split_kind={split.kind}: it has no equal parts")
        if content.artist_weight + content.genre_weight + content.audio_weight + content.year_weight <= 0:
            mistakes.append(
                "content_artist_weight, content_genre_weight, content_audio_weight and content_year_weight are all 0: raise one"
            )
        return mistakes


def _sections() -> dict[str, Any]:
    """Returns the class of each section by its name."""
    return {name: hint for name, hint in typing.get_type_hints(TrainingConfig).items() if dataclasses.is_dataclass(hint)}


def _field_names(kind: type) -> set[str]:
    return {item.name for item in dataclasses.fields(kind)}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def spelled(value: Any) -> str:
    """Returns a value as a user would write it; empty for None."""
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

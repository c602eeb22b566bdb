"""The registry of trainers: what each name in the hyperparameter `models` trains."""

from __future__ import annotations

from collections.abc import Callable

from inference.scorers import Scorer
from training.config import TrainingConfig
from training.trainers import (
    als,
    artist,
    cease,
    content,
    ease,
    graph,
    item_knn,
    popularity,
    sessions,
    similar_songs,
    spectral,
    transitions,
    words,
)
from training.trainers.base import TrainingData

Trainer = Callable[[TrainingData, TrainingConfig], Scorer]

TRAINERS: dict[str, Trainer] = {
    "popularity": lambda data, config: popularity.fit(data, config.popularity),
    "item_knn": lambda data, config: item_knn.fit_cosine(data, config.item_knn),
    "pearson": lambda data, config: item_knn.fit_pearson(data, config.pearson),
    "ease": lambda data, config: ease.fit(data, config.ease),
    "graph": lambda data, config: graph.fit(data, config.graph),
    "artist": lambda data, config: artist.fit(data, config.artist),
    "cease": lambda data, config: cease.fit(data, config.cease),
    "spectral": lambda data, config: spectral.fit(data, config.spectral),
    "als": lambda data, config: als.fit(data, config.als),
    "transitions": lambda data, config: transitions.fit(data, config.transitions),
    "sessions": lambda data, config: sessions.fit(data, config.sessions),
    "words": lambda data, config: words.fit(data, config.words),
    "similar_songs": lambda data, config: similar_songs.fit(data),
    "content": lambda data, config: content.fit(data, config.content),
}

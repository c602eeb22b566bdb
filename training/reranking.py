"""What the configuration says of filters and re-ranking, for requests that leave it out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from inference.errors import RequestError
from inference.rerank.defaults import Defaults
from inference.rerank.reranker import Reranker
from inference.texts import Texts
from inference.vocabulary import Vocabulary
from training.config import RerankConfig
from training.data.dataset import Dataset
from training.data.errors import UserDataError
from training.trainers.base import Features

AS_JSON = ("filter", "boosts")  # the configuration has checked that they are


def rerank_defaults(config: RerankConfig) -> Defaults:
    """Returns the defaults that the settings ask for. Raises ``UserDataError`` that names the setting."""
    changed = {name: value for name, value in dataclasses.asdict(config).items() if value != getattr(RerankConfig(), name)}
    document: dict[str, Any] = {name: json.loads(value) if name in AS_JSON else value for name, value in changed.items()}
    try:
        return Defaults.of(document)
    except RequestError as error:
        raise _refused(error) from None


def check_defaults(defaults: Defaults, dataset: Dataset, features: Features | None, metadata: Mapping[str, Texts]) -> None:
    """Tries the defaults on the songs, before anything is fitted. Raises ``UserDataError`` where they name a column that there is not."""
    if not defaults.document:
        return
    transform, store = (None, None) if features is None else features
    nobody = np.zeros(dataset.n_items, dtype=np.int32)
    known = (Vocabulary.of(dataset.item_ids.tolist()), nobody, 0, metadata, store, transform, None)
    try:
        Reranker(defaults, *known, {}, {}).rules(defaults.options)
    except RequestError as error:
        raise _refused(error) from None


def _refused(error: RequestError) -> UserDataError:
    return UserDataError(f"Correct the hyperparameters rerank_...: {error.message}")

"""What a platform is told of this program: the hyperparameters, the most wanted first, and which of them are worth tuning."""

from __future__ import annotations

import dataclasses

from training.config import MODELS, OF_THE_MACHINE, TrainingConfig
from training.hyperparameter_values import Option

NAME = "music-recommender"
DESCRIPTION = "Recommends music: trains on the CPU, on one host or several, from files or pipes, and serves what it has learned."
_SECTIONS = ("", *MODELS, "hybrid", "data", "split", "evaluation", "rerank", "features", "sample", "quality")  # "": the top level


def wanted_first() -> list[Option]:
    """Returns every hyperparameter: those of all training and of the models, of the hybrid, of the data's columns, then the others, and
    last those that only say how a machine is used. A platform that has room for a part of them takes the first ones."""
    return sorted(TrainingConfig.options(), key=lambda option: (option.name in OF_THE_MACHINE, _place(option.name)))


def is_tunable(option: Option) -> bool:
    """Returns whether a search over values makes sense: a number between bounds that a model is made with."""
    is_number = option.shape == "one" and option.type in (int, float) and None not in (option.min, option.max)
    return is_number and option.name.startswith(tuple(f"{name}_" for name in MODELS))


def _place(name: str) -> int:
    """Returns the place of the section that a flat name belongs to; a section that nobody has placed comes last."""
    if name in {field.name for field in dataclasses.fields(TrainingConfig)}:
        return 0
    section = max((section for section in _SECTIONS if section and name.startswith(f"{section}_")), key=len, default=None)
    return len(_SECTIONS) if section is None else _SECTIONS.index(section)

"""An earlier model of ours, to train again on new data without searching again: its settings, and the weights of its hybrid.

Nothing else of it is used: the numbers of every model are found anew, from all the data of the job.
"""

from __future__ import annotations

import json
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from inference.artifact import MODEL_JSON, parse_model_json
from inference.errors import ArtifactError
from training.config import MODELS, OF_THE_MACHINE, ConfigError, TrainingConfig
from training.data.errors import UserDataError
from training.progress import log

ARCHIVES = (".tar.gz", ".tgz", ".tar")
LARGEST = 1 << 28  # bytes of a model.json
OPERATOR_LENGTH = 200  # of a model that does not say how long the rows of its operator may be
NOT_TAKEN_OVER = (*OF_THE_MACHINE, "models", "tune", "tune_minutes", "hybrid_weights")


@dataclass(frozen=True)
class Earlier:
    """``settings``: every hyperparameter by its flat name. ``models``: those that are in it; ``weights``: of its hybrid, those above 0.
    ``longest``: how long the rows of its operator may be, None where it has none. ``searched``: False for a model whose training was
    stopped, so that its weights were never found."""

    version: str
    settings: Mapping[str, Any]
    models: tuple[str, ...]
    weights: Mapping[str, float]
    longest: int | None
    searched: bool = True

    def continued(self, given: Mapping[str, object]) -> TrainingConfig:
        """Returns the configuration of a job with the hyperparameters ``given``: what they leave out is as the earlier model had it.

        How the machine is used is the job's own. ``models`` are those that are in the earlier model; with ``tune=auto`` all are tried
        again, from its settings on. Raises ``ConfigError`` for what is given, ``UserDataError`` for settings of another version.
        """
        asked = TrainingConfig.from_hyperparameters(given)
        known = TrainingConfig().to_flat_dict()
        if strange := sorted(set(self.settings) - set(known)):
            raise self._refused(f"it has the settings {', '.join(strange)}, which this one does not know")
        taken = {name: value for name, value in self.settings.items() if name not in NOT_TAKEN_OVER and value is not None}
        if asked.tune != "auto":
            asked_for = self.settings.get("models")
            taken["models"] = list(self.models) if self.searched or not asked_for else asked_for
        try:
            TrainingConfig.from_hyperparameters(taken)
        except ConfigError as error:
            raise self._refused("; ".join(error.mistakes)) from None
        config = TrainingConfig.from_hyperparameters({**taken, **given})
        log("continues", model=self.version, given=",".join(sorted(set(given) & set(known))), models=",".join(config.models))
        return config

    def weights_for(self, models: Sequence[str], config: TrainingConfig) -> dict[str, float] | None:
        """Returns the weights to take for ``models`` in place of finding them; None (and why, in the log) where they have to be found."""
        why = ""
        if config.tune == "auto":
            why = "tune=auto"
        elif config.hybrid.weights:
            why = "hybrid_weights are given"
        elif not self.searched:
            why = "the earlier training was stopped before it had found any"
        elif strange := [name for name in models if name not in self.models]:
            why = f"the earlier model has no {', '.join(strange)}"
        elif not any(self.weights.get(name) for name in models):
            why = "none of its models with a weight can be trained"
        log("earlier_weights", taken=not why, **({"reason": why} if why else {}))
        return None if why else {name: self.weights.get(name, 0.0) for name in models}

    def _refused(self, why: str) -> UserDataError:
        return UserDataError(
            f"channel model: the model {self.version} was made by another version of this program: {why}. Leave the channel out, and train "
            "from the start."
        )


def read_earlier(place: Path) -> Earlier:
    """Reads the ``model.json`` of the one model in ``place``: a folder that holds its files, or a ``model.tar.gz`` (or is one).

    Nothing is unpacked. Raises ``UserDataError`` where there is none, several, or one that this program cannot read.
    """
    path = _find(place)
    try:
        text = path.read_bytes() if path.name == MODEL_JSON else _from_archive(path)
        document = parse_model_json(text, path)
        return _earlier(document)
    except ArtifactError as error:
        raise UserDataError(f"channel model: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserDataError(
            f"channel model: {path} is damaged ({type(error).__name__}: {error}); give a model as training left it"
        ) from None


def _find(place: Path) -> Path:
    if place.is_file():
        return place
    inside = sorted(path for path in [*place.glob("*"), *place.glob("*/*")] if path.is_file() and not path.name.startswith("."))
    found = [path for path in inside if path.name == MODEL_JSON] or [path for path in inside if path.name.endswith(ARCHIVES)]
    if len(found) == 1:
        return found[0]
    what = f"there are {len(found)} ({', '.join(path.relative_to(place).as_posix() for path in found[:5])})" if found else "there is none"
    raise UserDataError(f"channel model: give one model, as model.tar.gz or as the folder that has {MODEL_JSON}; {what}")


def _from_archive(path: Path) -> bytes:
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                parts = [part for part in PurePosixPath(member.name).parts if part != "."]
                if parts[-1:] == [MODEL_JSON] and len(parts) <= 2 and member.isfile() and member.size <= LARGEST:
                    stream = archive.extractfile(member)
                    assert stream is not None  # it is a file
                    return stream.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise UserDataError(f"channel model: {path} can't be read as an archive ({error}); give model.tar.gz as training left it") from None
    raise UserDataError(f"channel model: {path} holds no {MODEL_JSON}: it is no model of this program")


def _earlier(document: Mapping[str, Any]) -> Earlier:
    weights = {str(name): float(weight) for name, weight in document["hybrid"]["weights"].items()}
    models = tuple(name for name in MODELS if name in document["scorers"])
    if strange := sorted({*document["scorers"], *weights} - set(models)):
        raise UserDataError(f"channel model: its models {', '.join(strange)} are none that this version of the program trains")
    longest = OPERATOR_LENGTH if document["hybrid"].get("compiled") else None
    found = document.get("found") or {}
    return Earlier(
        str(document["model_version"]),
        dict(json.loads(json.dumps(document.get("configuration") or {}))),
        models,
        weights,
        found.get("operator_length", longest),
        not document.get("stopped_early"),
    )

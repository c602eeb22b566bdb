"""The artifact: how a model lies on disk. Plain arrays, memory-mapped, and one `model.json` that says what they are.

    model.json                 format version, configuration, scorers, arrays (dtype, shape, sha256), metrics
    items.blob.npy …           the vocabularies of songs and listeners
    user_items.indptr.npy …    the listeners' histories
    user_items.times.npy       when they played it, or its place in the list; only where the data said so
    words.blob.npy …, user_words.indptr.npy …
                               the words that listeners and playlists are called by, and those of each; only where there are any
    scorer.<name>.<array>.npy  the arrays of each scorer
    compiled.<array>.npy       the item-to-item models of the hybrid in one operator, where there is one (from format 3 on)
    features.<column>.<array>.npy, transform.<part>.<array>.npy
                               the features of the songs, and what makes them of a new song's attributes (from format 2 on)

No pickle; the loader opens only names that it builds itself. Never call a file here `manifest.json`: multi-model-server dies of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from inference.context import ContextWords
from inference.errors import ArtifactError, RequestError
from inference.features.similarity import Similarity
from inference.features.store import FeatureStore
from inference.features.transform import FeatureTransform
from inference.hashes import Hashes, sha256
from inference.history import WEIGHTINGS, EventWeighting
from inference.known import ListenerWords
from inference.order import StoredOrder
from inference.recommender import POPULARITY, Recommender
from inference.rerank.defaults import Defaults
from inference.scorers import KINDS, HybridScorer, ItemToItemScorer, Scorer
from inference.sparse import SparseRows
from inference.texts import Texts
from inference.vocabulary import Vocabulary

FORMAT_VERSION = 4
MODEL_JSON = "model.json"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def save(recommender: Recommender, directory: Path, info: Mapping[str, Any]) -> None:
    """Writes the arrays, then ``model.json``, into ``directory`` (made if missing). ``info`` is added to ``model.json`` as it is.

    The model's version is the hash of its arrays and weights: the same model has the same version, wherever it was trained.
    """
    directory.mkdir(parents=True, exist_ok=True)
    table = {}
    for name, array in sorted(_arrays(recommender).items()):
        array = np.ascontiguousarray(array)
        path = directory / f"{name}.npy"
        np.save(path, array, allow_pickle=False)
        table[name] = {"dtype": array.dtype.str, "shape": list(array.shape), "sha256": sha256(path)}
    document = {
        "format_version": FORMAT_VERSION,
        "arrays": table,
        "scorers": {name: {"kind": s.KIND, "settings": s.settings()} for name, s in recommender.scorers.items()},
        "hybrid": {"weights": dict(recommender.hybrid.weights), "compiled": recommender.hybrid.compiled is not None},
        "weighting": {
            "weighting": recommender.weighting.weighting,
            "event_weights": dict(recommender.weighting.event_weights),
            "min_event_value": recommender.weighting.min_event_value,
            "half_life_days": recommender.weighting.half_life_days,
        },
        "order": None if recommender.order is None else {"in_seconds": recommender.order.in_seconds},
        "words": None if recommender.words is None else recommender.words.settings(),
        "metadata": sorted(recommender.metadata),
        "features": None if recommender.features is None else recommender.features.settings(),
        "transform": None if recommender.transform is None else recommender.transform.settings(),
        "similarity": None if recommender.similarity is None else recommender.similarity.settings(),
    }
    if recommender.defaults.document:
        document["rerank"] = dict(recommender.defaults.document)
    document["model_version"] = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:12]
    write_model_json(directory, {**info, **document})


def write_model_json(directory: Path, document: Mapping[str, Any]) -> None:
    """Writes ``model.json`` whole or not at all."""
    partial = directory / f".{MODEL_JSON}.partial"
    partial.write_text(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n", encoding="ascii")
    partial.replace(directory / MODEL_JSON)


def read_model_json(directory: Path) -> dict[str, Any]:
    """Raises ``ArtifactError`` where there is no model, a broken one, or one of a newer format."""
    path = directory / MODEL_JSON
    try:
        return parse_model_json(path.read_bytes(), path)
    except FileNotFoundError:
        raise ArtifactError(f"No model in {directory}: {MODEL_JSON} is missing. Train one, or unpack model.tar.gz there.") from None
    except OSError as error:
        raise ArtifactError(f"{path} can't be read ({error.strerror}).") from None


def parse_model_json(content: bytes, path: Path) -> dict[str, Any]:
    """Returns the document that ``content``, read from ``path`` or from an archive there, holds. Raises as ``read_model_json`` does."""
    try:
        document = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} can't be read as JSON ({error}). Copy or train the model again.") from None
    version = document.get("format_version") if isinstance(document, dict) else None
    if not isinstance(version, int) or version < 1:
        raise ArtifactError(f"{path} names no format_version: this is not a model of this program.")
    if version > FORMAT_VERSION:
        raise ArtifactError(f"{path} has format_version {version}; this program reads up to {FORMAT_VERSION}. Serve it with a newer image.")
    return dict(document)


def load(directory: Path, *, verify: bool = False) -> Recommender:
    """Opens a model, memory-mapped and read-only. Checks each array's dtype and shape; with ``verify`` its sha256, too, which reads all.

    Raises ``ArtifactError`` that names the file at fault.
    """
    document = read_model_json(directory)
    with Hashes(_files(directory, document) if verify else ()) as hashes:
        return _loaded(directory, document, _Reader(directory, document, hashes if verify else None))


def _loaded(directory: Path, document: Mapping[str, Any], reader: _Reader) -> Recommender:
    try:
        scorers = {}
        for name, entry in document["scorers"].items():
            kind = KINDS[entry["kind"]]
            scorers[name] = kind.load(entry["settings"], reader.group(f"scorer.{_checked(name)}", kind.ARRAYS))
        if POPULARITY not in scorers:
            raise KeyError(POPULARITY)
        weighting = EventWeighting(**document["weighting"])
        if weighting.weighting not in WEIGHTINGS:
            raise ValueError(f"unknown weighting {weighting.weighting}")
        items = Vocabulary(**reader.group("items", Vocabulary.ARRAYS))
        features, transform, similarity = _features(document, reader)
        recommender = Recommender(
            items=items,
            users=Vocabulary(**reader.group("users", Vocabulary.ARRAYS)),
            user_items=SparseRows(**reader.group("user_items", SparseRows.ARRAYS), n_columns=len(items)),
            listeners=reader.array("items.listeners"),
            scorers=scorers,
            hybrid=_hybrid(document, reader, scorers, len(items)),
            weighting=weighting,
            version=str(document["model_version"]),
            metadata={_checked(name): Texts(**reader.group(f"metadata.{name}", ("blob", "offsets"))) for name in document["metadata"]},
            features=features,
            transform=transform,
            similarity=similarity,
            defaults=_defaults(document),
            info=document,
            order=_order(document, reader),
            words=_words(document, reader),
        )
        _try_features(recommender)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise ArtifactError(
            f"{directory / MODEL_JSON} is damaged ({type(error).__name__}: {error}). Copy or train the model again."
        ) from None
    _check_sizes(recommender, directory)
    return recommender


def _files(directory: Path, document: Mapping[str, Any]) -> list[Path]:
    """Returns the files of all arrays, the largest first; where ``model.json`` is not as we write it, the reader will say so."""
    table = document.get("arrays")
    names = [name for name in table if re.fullmatch(r"[a-z0-9_.]+", name)] if isinstance(table, Mapping) else []
    found = [path for name in names if (path := directory / f"{name}.npy").is_file()]
    return sorted(found, key=lambda path: -path.stat().st_size)


def _hybrid(document: Mapping[str, Any], reader: _Reader, scorers: Mapping[str, Scorer], n_items: int) -> HybridScorer:
    operator = None
    if document["hybrid"].get("compiled"):
        operator = ItemToItemScorer.load({"n_items": n_items}, reader.group("compiled", ItemToItemScorer.ARRAYS))
    return HybridScorer(scorers, document["hybrid"]["weights"], operator)


def _order(document: Mapping[str, Any], reader: _Reader) -> StoredOrder | None:
    if document.get("order") is None:
        return None
    return StoredOrder(reader.array("user_items.times"), bool(document["order"]["in_seconds"]))


def _words(document: Mapping[str, Any], reader: _Reader) -> ListenerWords | None:
    if document.get("words") is None:
        return None
    vocabulary = Vocabulary(**reader.group("words", Vocabulary.ARRAYS))
    texts, categories = (tuple(map(str, document["words"][kind])) for kind in ("texts", "categories"))
    rows = SparseRows(**reader.group("user_words", SparseRows.ARRAYS), n_columns=len(vocabulary))
    return ListenerWords(ContextWords(vocabulary, texts, categories), rows)


def _features(document: Mapping[str, Any], reader: _Reader) -> tuple[FeatureStore | None, FeatureTransform | None, Similarity | None]:
    """Returns what the model knows of its songs; a model of format 1, or without a catalogue, has none of it."""
    if document.get("features") is None:
        return None, None, None
    store = FeatureStore.load(document["features"], reader.array)
    transform = None if document["transform"] is None else FeatureTransform.load(document["transform"], reader.array)
    similarity = None if document["similarity"] is None else Similarity.load(document["similarity"], store)
    return store, transform, similarity


def _defaults(document: Mapping[str, Any]) -> Defaults:
    """Returns what requests get that leave the options of the re-ranker out; models that know of none have none."""
    try:
        return Defaults.of(document.get("rerank") or {})
    except RequestError as error:
        raise ValueError(f"rerank: {error.message}") from None


def _try_features(recommender: Recommender) -> None:
    """Describes a song and compares it with the first one: what is damaged shows here, and not in the first request."""
    store, transform, similarity = recommender.features, recommender.transform, recommender.similarity
    if store is None or transform is None or similarity is None:
        return
    one = transform.one({"artist": "a", "genre": "b", "year": 2000, "energy": 0.5, "lyrics": "c d"})
    if list(one) != list(store):
        raise ValueError("the transform makes other features than the model has")
    ours = similarity.dense(one)
    if store.n_songs and similarity.dense(store, slice(0, 1)).shape[1:] != ours.shape[1:]:
        raise ValueError("the features have other dimensions than the transform makes")


def _arrays(recommender: Recommender) -> dict[str, np.ndarray]:
    groups = {"items": recommender.items.arrays(), "users": recommender.users.arrays(), "user_items": recommender.user_items.arrays()}
    groups |= {f"scorer.{name}": scorer.arrays() for name, scorer in recommender.scorers.items()}
    groups |= {f"metadata.{name}": {"blob": texts.blob, "offsets": texts.offsets} for name, texts in recommender.metadata.items()}
    named = {f"{group}.{name}": array for group, arrays in groups.items() for name, array in arrays.items()}
    for part in (recommender.features, recommender.transform):
        named |= {} if part is None else part.arrays()
    named |= {} if recommender.order is None else {"user_items.times": recommender.order.times}
    if recommender.hybrid.compiled is not None:
        named |= {f"compiled.{name}": array for name, array in recommender.hybrid.compiled.arrays().items()}
    if recommender.words is not None:
        named |= {f"words.{name}": array for name, array in recommender.words.context.vocabulary.arrays().items()}
        named |= {f"user_words.{name}": array for name, array in recommender.words.rows.arrays().items()}
    return named | {"items.listeners": recommender.listeners}


def _checked(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError("a name that is not one of ours")
    return name


def _check_sizes(recommender: Recommender, directory: Path) -> None:
    n = len(recommender.items)
    sizes = {"items.listeners": len(recommender.listeners), "scorer.popularity.popularity": len(recommender.popularity)}
    sizes |= {f"metadata.{name}": len(texts) for name, texts in recommender.metadata.items()}
    sizes |= {"features": recommender.features.n_songs} if recommender.features is not None else {}
    wrong = [name for name, size in sizes.items() if size != n]
    if recommender.order is not None and len(recommender.order.times) != len(recommender.user_items.values):
        wrong.append("user_items.times")
    if recommender.words is not None and len(recommender.words.rows) != len(recommender.users):
        wrong.append("user_words")
    if wrong or len(recommender.user_items) != len(recommender.users):
        raise ArtifactError(f"{directory}: {', '.join(wrong) or 'user_items'} does not fit the vocabulary. Copy or train the model again.")


class _Reader:
    """Opens the arrays that ``model.json`` lists, and checks each against what is written there."""

    def __init__(self, directory: Path, document: Mapping[str, Any], hashes: Hashes | None) -> None:
        """``hashes``: to check the files against; None: they are not checked."""
        self.directory, self.table, self.hashes = directory, document.get("arrays", {}), hashes

    def group(self, prefix: str, names: tuple[str, ...]) -> dict[str, np.ndarray]:
        return {name: self.array(f"{prefix}.{name}") for name in names}

    def array(self, name: str) -> np.ndarray:
        """Opens one array. Raises ``ArtifactError`` that names its file."""
        path = self.directory / f"{name}.npy"
        expected = self.table[name]
        try:
            # A plain view: taking some of a numpy.memmap costs several times what taking them of the array under it does.
            array = np.asarray(np.load(path, mmap_mode="r" if 0 not in expected["shape"] else None, allow_pickle=False))
        except FileNotFoundError:
            raise ArtifactError(f"{path} is missing. Copy or train the model again.") from None
        except (OSError, ValueError, EOFError) as error:
            raise ArtifactError(f"{path} is damaged ({error}). Copy or train the model again.") from None
        if array.dtype.str != expected["dtype"] or list(array.shape) != expected["shape"]:
            raise ArtifactError(f"{path} holds {array.dtype.str} {array.shape}, not {expected['dtype']} {tuple(expected['shape'])}.")
        if self.hashes is not None and self.hashes.of(path) != expected["sha256"]:
            raise ArtifactError(f"{path} is not the file that training wrote: its sha256 differs. Copy or train the model again.")
        return array

"""Puts a finished model in its place: whole, or not at all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from inference.artifact import MODEL_JSON
from training.data.dataset import Catalogue, Dataset


@contextmanager
def writing(model_dir: Path) -> Iterator[Path]:
    """Yields a folder inside ``model_dir`` to write a model to; moves its files up when the block ends well, ``model.json`` last.

    A job that is stopped half-way leaves nothing that could be taken for a model.
    """
    model_dir.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".writing-", dir=model_dir))
    try:
        yield partial
        (model_dir / MODEL_JSON).unlink(missing_ok=True)
        for old in model_dir.glob("*.npy"):
            old.unlink()
        for path in sorted(partial.iterdir(), key=lambda path: path.name == MODEL_JSON):
            path.chmod(0o644)
            path.replace(model_dir / path.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def fingerprint(dataset: Dataset) -> str:
    """Returns the sha256 of what was learned from: equal for equal data, however its files were cut or ordered."""
    digest = hashlib.sha256()
    for ids in (dataset.item_ids, dataset.user_ids):
        digest.update("\n".join(ids.tolist()).encode("utf-8", "surrogatepass"))
    for array in (dataset.interactions.users, dataset.interactions.items, dataset.interactions.weights):
        digest.update(array.tobytes())
    if dataset.interactions.order is not None:
        digest.update(dataset.interactions.order.tobytes())
    if (words := dataset.listener_words) is not None:
        digest.update("\n".join(words.words).encode("utf-8", "surrogatepass") + words.rows.indptr.tobytes() + words.rows.indices.tobytes())
    if dataset.catalogue is not None:
        _add_catalogue(digest, dataset.catalogue)
    return digest.hexdigest()


def _add_catalogue(digest: hashlib._Hash, catalogue: Catalogue) -> None:
    for values in (catalogue.audio, catalogue.years, catalogue.popularity, catalogue.keys, catalogue.modes, catalogue.explicit):
        digest.update(values.tobytes())
    for name, label in sorted(catalogue.labels.items()):
        digest.update(repr((name, label.names)).encode("utf-8", "surrogatepass") + label.codes.tobytes())
    for named in (catalogue.flags, catalogue.numbers, catalogue.vectors):
        for name, array in sorted(named.items()):
            digest.update(name.encode("utf-8") + np.asarray(array).tobytes())
    for name, matrix in sorted(catalogue.terms.items()):
        for array in (matrix.indptr, matrix.indices, matrix.data):
            digest.update(name.encode("utf-8") + np.asarray(array).tobytes())
    for array in () if catalogue.similar is None else catalogue.similar:
        digest.update(np.asarray(array).tobytes())
    digest.update(repr((catalogue.audio_names, catalogue.artists, catalogue.genres)).encode("utf-8", "surrogatepass"))

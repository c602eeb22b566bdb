"""Puts a finished model in its place: whole, or not at all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference.artifact import MODEL_JSON
from training.data.dataset import Dataset


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
    if dataset.catalogue is not None:
        for values in (dataset.catalogue.audio, dataset.catalogue.years, dataset.catalogue.popularity):
            digest.update(values.tobytes())
        texts = (dataset.catalogue.audio_names, dataset.catalogue.artists, dataset.catalogue.genres)
        digest.update(repr(texts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()

"""Models that are the package RecTools' own: ALS with features of songs, and PureSVD. It also wraps those of implicit and LightFM."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from scripts.peers_task import Peer, Played, Scores, Settings, Task, binary, with_asked


def als(task: Task, settings: Settings) -> Scores:
    """ALS for implicit feedback whose songs also have artists and genres in their vectors, with factors that are fitted ``apart`` from the
    others or ``together`` with them (``features``). It cannot fold in: see ``with_asked``."""
    from implicit.cpu.als import AlternatingLeastSquares
    from rectools.models import ImplicitALSWrapperModel

    matrix, users = with_asked(task)
    model = ImplicitALSWrapperModel(
        AlternatingLeastSquares(
            factors=settings["factors"],
            regularization=settings["regularization"],
            alpha=settings["alpha"],
            iterations=settings["iterations"],
            random_state=task.seed,
        ),
        fit_features_together=settings["features"] == "together",
    )
    dataset = _dataset(matrix, None if settings["features"] == "none" else task.features)
    model.fit(dataset)
    of_users, of_items = model.get_vectors()
    played, songs = Played.of(matrix), _in_order(of_items, dataset.item_id_map)
    listeners = np.zeros((matrix.shape[0], songs.shape[1]), dtype=songs.dtype)
    listeners[np.sort(dataset.user_id_map.external_ids)] = _in_order(of_users, dataset.user_id_map)
    return lambda rows: played.spread(listeners[users[rows]] @ songs.T)


def pure_svd(task: Task, settings: Settings) -> Scores:
    """PureSVD (Cremonesi, Koren, Turrin, RecSys 2010): ``x V Vᵀ``, which is also the answer to a listener it has not seen."""
    from rectools.models import PureSVDModel

    played = Played.of(task.learn)
    matrix = binary(task.learn)
    dataset = _dataset(matrix, None)
    factors = min(settings["factors"], *(n - 1 for n in played.part(matrix).shape))
    # a generator: scipy's svds no longer takes a plain seed where numpy is of version 1
    model = PureSVDModel(factors=factors, random_state=np.random.default_rng(task.seed))
    model.fit(dataset)
    songs = _in_order(model.item_factors, dataset.item_id_map)  # V times the singular values
    length = np.linalg.norm(songs, axis=0)
    directions = songs / np.where(length > 0, length, 1)
    shown = played.part(task.asked.shown)
    return lambda rows: played.spread((shown[rows] @ directions) @ directions.T)


def _dataset(matrix: csr_array, features: csr_array | None) -> Any:
    """Returns the matrix as RecTools' data, whose ids are the numbers of rows and columns; ``features``: csr (songs × names)."""
    import pandas as pd
    from rectools import Columns
    from rectools.dataset import Dataset

    entries = matrix.tocoo()
    columns = {Columns.User: entries.row, Columns.Item: entries.col, Columns.Weight: entries.data}
    interactions = pd.DataFrame({**columns, Columns.Datetime: pd.Timestamp(0)})
    if features is None or not features.nnz:
        return Dataset.construct(interactions)
    named = features.tocoo()
    frame = pd.DataFrame({"id": named.row, "feature": "name", "value": named.col})
    frame = frame[np.isin(named.row, entries.col)]  # of songs that nobody has played nothing can be learned
    return Dataset.construct(interactions, item_features_df=frame, cat_item_features=["name"])


def _in_order(vectors: NDArray[Any], ids: Any) -> NDArray[Any]:
    """Returns the vectors by ascending number of ours; RecTools has them in the order in which it has met them."""
    return np.asarray(vectors)[np.argsort(ids.external_ids)]


PEERS = {
    "rectools_als": Peer(
        "RecTools: ALS with artists and genres as explicit features",
        als,
        {
            "factors": (32, 64, 128),
            "regularization": (0.01, 0.1, 1.0, 10.0),
            "alpha": (1.0, 5.0, 10.0, 40.0),
            "iterations": (15, 30),
            "features": ("none", "apart", "together"),
        },
    ),
    "rectools_pure_svd": Peer("RecTools: PureSVD", pure_svd, {"factors": (8, 16, 32, 64, 128, 256)}),
}

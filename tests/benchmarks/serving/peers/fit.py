"""Fits implicit's models on the histories that our own model has: ``python fit.py FOLDER``, in the peers' environment.

FOLDER has ``histories.npz`` (listeners × songs, as scipy saves it); each model gets a folder of its own there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix, load_npz

MODELS = {
    "item_knn": lambda: CosineRecommender(K=100),
    "als_64": lambda: AlternatingLeastSquares(64, iterations=5, random_state=1),
    "als_128": lambda: AlternatingLeastSquares(128, iterations=5, random_state=1),
}


def main(folder: Path) -> None:
    histories = csr_matrix(load_npz(folder / "histories.npz"))
    for name, made in MODELS.items():
        model = made()
        model.fit(histories, show_progress=False)
        (folder / name).mkdir(exist_ok=True)
        model.save(folder / name / "model.npz")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

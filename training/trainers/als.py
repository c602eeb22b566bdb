"""Implicit matrix factorization by alternating least squares."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from inference.scorers import FactorScorer
from training.model_config import AlsConfig
from training.progress import track
from training.trainers.base import TrainingData, in_threads
from training.trainers.cease import ALBUM, ARTISTS, with_catalogue
from training.trainers.cold import with_content

_BATCH_FLOATS = 2_000_000  # of the largest array of a batch


def fit(data: TrainingData, config: AlsConfig) -> FactorScorer:
    """Minimises ``sum_observed w (x_u·y_i − 1)² + α₀ sum_all (x_u·y_i)² + λ (Σ_u (|S_u| + α₀ n)^ν |x_u|² + Σ_i (|S_i| + α₀ m)^ν |y_i|²)``.

    Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, with the regularisation of Rendle et al.,
    "Revisiting the performance of iALS on item recommendation benchmarks", RecSys 2022. Listeners are not stored: serving folds them in.
    With a catalogue, artists and albums are listeners of all their songs, as in ``training.trainers.cease``, and songs of few events are
    moved towards where their content puts them (``training.trainers.cold``).
    """
    rng = np.random.default_rng(data.seed)
    scale = 0.1 / np.sqrt(config.factors)
    item_factors = rng.normal(0.0, scale, (data.n_items, config.factors)).astype(np.float32)
    by_user = data.user_items
    if data.features is not None and config.catalogue_weight > 0:
        by_user = with_catalogue(by_user, data.features[1], dict.fromkeys((ARTISTS, ALBUM), config.catalogue_weight))
    by_item = by_user.T.tocsr()
    for _ in track(range(config.iterations), total=config.iterations, description="als"):
        user_factors = solve_rows(by_user, item_factors, config, data.threads)
        item_factors = solve_rows(by_item, user_factors, config, data.threads)
    if data.features is not None and config.content_strength > 0:
        item_factors = with_content(item_factors, data.listeners, data.features, config.content_strength)
    wide = item_factors.astype(np.float64)
    return FactorScorer(item_factors, wide.T @ wide, config.unobserved_weight, config.l2, config.frequency_exponent)


def solve_rows(weights: csr_array, factors: np.ndarray, config: AlsConfig, threads: int) -> np.ndarray:
    """Returns the float32 factors (rows, factors) of the rows of ``weights``, given those of its columns; rows without entries get 0.

    The matrix of a row is ``α₀ FᵀF + λ_row I + ZᵀZ``. In the eigenbasis of ``FᵀF`` the first two are a diagonal D, the same basis for
    every row. A row with fewer entries than factors is solved through ``(D + ZᵀZ)⁻¹ Zᵀt = D⁻¹ Zᵀ (I + Z D⁻¹ Zᵀ)⁻¹ t``: most songs have few
    listeners, so their systems are small. Rows of like length are solved together.
    """
    wide = factors.astype(np.float64)
    eigenvalues, basis = np.linalg.eigh(wide.T @ wide)
    rotated = wide @ basis
    diagonal = config.unobserved_weight * np.maximum(eigenvalues, 0.0)
    counts = np.diff(weights.indptr)
    out = np.zeros((weights.shape[0], factors.shape[1]))

    def work(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ridge = config.l2 * (counts[rows] + config.unobserved_weight * len(factors)) ** config.frequency_exponent
        return rows, _solve_batch(weights, rotated, rows, diagonal[None, :] + ridge[:, None])

    for rows, solved in in_threads(work, _batches(counts, factors.shape[1]), threads):
        out[rows] = solved
    return (out @ basis.T).astype(np.float32)


def _batches(counts: np.ndarray, factors: int) -> list[np.ndarray]:
    """Groups the non-empty rows by length, each batch small enough when padded to its longest row."""
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]
    out = []
    end = len(order)
    while end > 0:
        longest = int(counts[order[end - 1]])
        start = max(0, end - max(1, _BATCH_FLOATS // (longest * max(factors, min(longest, factors)))))
        out.append(order[start:end])
        end = start
    return out


def _solve_batch(weights: csr_array, rotated: np.ndarray, rows: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """Solves rows together, in the eigenbasis; ``diagonal`` is (rows, factors). Returns (rows, factors)."""
    starts, stops = weights.indptr[rows], weights.indptr[rows + 1]
    longest = int((stops - starts).max())
    places = starts[:, None] + np.arange(longest)[None, :]
    inside = places < stops[:, None]
    places = np.where(inside, places, starts[:, None])
    root = np.sqrt(np.where(inside, weights.data[places], 0.0))  # padding has weight 0, so it changes nothing
    z = rotated[weights.indices[places]] * root[:, :, None]
    if longest < rotated.shape[1]:
        scaled = z / diagonal[:, None, :]
        small = scaled @ z.transpose(0, 2, 1)
        small[:, np.arange(longest), np.arange(longest)] += 1.0
        return (np.linalg.solve(small, root[:, :, None]).transpose(0, 2, 1) @ scaled)[:, 0, :]
    full = z.transpose(0, 2, 1) @ z
    full[:, np.arange(full.shape[1]), np.arange(full.shape[1])] += diagonal
    return np.linalg.solve(full, z.transpose(0, 2, 1) @ root[:, :, None])[:, :, 0]

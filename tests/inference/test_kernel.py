"""The kernel of batches is loaded alone, late, and not missed where it is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inference
from inference import kernel
from inference.artifact import save
from inference.kernel import Rows, load_kernel
from tests.inference.many_listeners import make_model

ROOT = Path(__file__).resolve().parents[2]
BODY = "".join(json.dumps({"user_id": f"u{i}", "num_recommendations": 5}) + "\n" for i in range(50)).encode()


@given(seed=st.integers(0, 10**6), n=st.integers(1, 8), above=st.sampled_from([0.0, 0.5, 2.0]))
def test_the_kernel_returns_the_largest_entries_of_the_product(seed: int, n: int, above: float) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=(6, 7)) * (rng.random((6, 7)) < 0.4), rng.normal(size=(7, 9)) * (rng.random((7, 9)) < 0.5)
    found_kernel = load_kernel()
    assert found_kernel is not None
    found = found_kernel(rows_of(left), rows_of(right), 9, n, above)
    for row, scores in enumerate(left @ right):
        part = slice(found.starts[row], found.starts[row + 1])
        best = np.argsort(-scores)[:n]
        best = best[scores[best] > above]
        assert found.columns[part].tolist() == best.tolist()
        np.testing.assert_allclose(found.values[part], scores[best])


def rows_of(matrix: np.ndarray) -> Rows:
    rows, columns = np.nonzero(matrix)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(matrix)))])
    return Rows(starts.astype(np.int32), columns.astype(np.int32), matrix[rows, columns])


class Hides:
    """An import system in which the package is not installed."""

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == kernel.PACKAGE:
            raise ModuleNotFoundError(name)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Forgets that the kernel was loaded, before and after."""
    monkeypatch.delitem(sys.modules, f"{kernel.PACKAGE}.lib.{kernel.MODULE}", raising=False)
    load_kernel.cache_clear()
    yield monkeypatch
    load_kernel.cache_clear()


def answered() -> list[Any]:
    return [json.loads(line) for line in body_of(make_model("compiled", density=0.5)).splitlines()]


def body_of(model: Any) -> bytes:
    return inference.output_fn(inference.predict_fn(inference.input_fn(BODY, "application/jsonlines"), model), None)[0]


def test_where_the_package_is_hidden_batches_are_answered_alike(fresh: pytest.MonkeyPatch) -> None:
    with_it = answered()
    load_kernel.cache_clear()
    fresh.setattr(sys, "meta_path", [Hides(), *sys.meta_path])
    assert load_kernel() is None
    without = answered()
    for one, other in zip(with_it, without, strict=True):
        assert [song["item_id"] for song in one["recommendations"]] == [song["item_id"] for song in other["recommendations"]]
        assert [song["score"] for song in one["recommendations"]] == pytest.approx([song["score"] for song in other["recommendations"]])


def test_a_file_that_is_no_library_or_another_one_is_not_used(fresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / kernel.PACKAGE / "lib"
    folder.mkdir(parents=True)
    (tmp_path / kernel.PACKAGE / "__init__.py").write_text("raise RuntimeError('nobody imports this')")
    fresh.syspath_prepend(str(tmp_path))
    assert load_kernel() is None  # no file
    load_kernel.cache_clear()
    (folder / f"{kernel.MODULE}{kernel.EXTENSION_SUFFIXES[0]}").write_bytes(b"not a library")
    assert load_kernel() is None


def test_a_function_that_does_something_else_is_not_used() -> None:
    right = kernel._of(lambda **_: (np.array([1.25, 1.0]), np.array([2, 0]), np.array([0, 2, 2, 2])))
    assert not kernel._works(right)


def test_neither_the_package_nor_scipy_is_ever_imported(tmp_path: Path) -> None:
    """In a process of its own, from the start to the answer to a batch that the kernel has ranked."""
    save(make_model("compiled", density=0.5), tmp_path / "model", {})
    code = """
import sys, inference
model = inference.model_fn(sys.argv[1])
assert not [name for name in sys.modules if name.startswith("sparse_dot_topn")], "loaded before there is a batch"
batch = inference.input_fn(sys.stdin.buffer.read(), "application/jsonlines")
inference.output_fn(inference.predict_fn(batch, model), None)
print(*(name for name in sys.modules if name.partition(".")[0] in ("sparse_dot_topn", "scipy", "psutil")))
"""
    command = [sys.executable, "-P", "-c", code, str(tmp_path / "model")]
    finished = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, input=BODY, capture_output=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.decode().split() == [f"{kernel.PACKAGE}.lib.{kernel.MODULE}"]

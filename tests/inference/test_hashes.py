"""The hashes of files, made ahead of whoever asks."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from inference.hashes import Hashes


def test_each_file_has_its_own_hash_whether_it_was_named_before_or_not(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.npy" for number in range(20)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * 1000 * number)
    with Hashes(paths[:15]) as hashes:
        found = [hashes.of(path) for path in paths]
    assert found == [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def test_a_file_that_cannot_be_read_is_told_to_whoever_asks_for_it(tmp_path: Path) -> None:
    with Hashes([tmp_path / "gone"]) as hashes, pytest.raises(FileNotFoundError):
        hashes.of(tmp_path / "gone")

"""Lets other programs recommend on the split of a run: each in a process of its own, with the packages of its own environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.fresh_process import measured
from scripts.peers_environments import MODULE, python_of


@dataclass(frozen=True)
class PeerRun:
    """``lists``: int32 (cases, k). ``answer``: what the peer says of itself: the settings that it chose, seconds."""

    lists: NDArray[np.int32]
    answer: dict[str, Any]
    seconds: float
    peak_bytes: int


def run_peer(name: str, split: Path, output: Path, k: int, tuning_seconds: float, seed: int) -> PeerRun:
    """Tunes the peer on the split's validation part for ``tuning_seconds``, fits it again, and returns its lists for the test.

    Raises ``CommandError`` where its environment is not installed, or it fails.
    """
    python = python_of(name)
    output.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--peer", name, "--split", str(split), "--output", str(output), "--k", str(k)]
    run = measured(MODULE, [*arguments, "--seconds", str(tuning_seconds), "--seed", str(seed)], python=python)
    return PeerRun(np.load(output, allow_pickle=False), run.answer, run.seconds, run.peak_bytes)

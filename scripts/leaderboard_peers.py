"""Lets other programs recommend on the split of a run: each in a process of its own, with the packages of ``.venv-peers``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.command_line import CommandError
from scripts.fresh_process import ROOT, measured

PYTHON = ROOT / ".venv-peers" / "bin" / "python"
MODULE = "scripts.peers_recommenders"


@dataclass(frozen=True)
class PeerRun:
    """``lists``: int32 (cases, k). ``answer``: what the peer says of itself: the settings that it chose, seconds."""

    lists: NDArray[np.int32]
    answer: dict[str, Any]
    seconds: float
    peak_bytes: int


def run_peer(name: str, split: Path, output: Path, k: int, tuning_seconds: float, seed: int) -> PeerRun:
    """Tunes the peer on the split's validation part for ``tuning_seconds``, fits it again, and returns its lists for the test.

    Raises ``CommandError`` where the peers are not installed, or it fails.
    """
    if not PYTHON.exists():
        raise CommandError("the peers are not installed: run scripts/peers --setup")
    output.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--peer", name, "--split", str(split), "--output", str(output), "--k", str(k)]
    run = measured(MODULE, [*arguments, "--seconds", str(tuning_seconds), "--seed", str(seed)], python=PYTHON)
    return PeerRun(np.load(output, allow_pickle=False), run.answer, run.seconds, run.peak_bytes)

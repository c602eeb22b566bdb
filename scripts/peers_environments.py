"""Starts ``peers_recommenders`` in the environment where a peer's library lives: not all of them can be installed beside each other.

A library that ``requirements/peers_NAME.in`` asks for lives in ``.venv-peers-NAME``; everything else lives in ``.venv-peers``. The library
is what a peer's name begins with. Imports the standard library only.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from scripts.command_line import CommandError, run

ROOT = Path(__file__).resolve().parent.parent
MODULE = "scripts.peers_recommenders"
SERVERS = "peers_serving"  # what tests/benchmarks/serving measures: nothing of the leaderboard lives there


def python_of(peer: str, root: Path = ROOT) -> Path:
    """Returns the interpreter for a peer. Raises ``CommandError`` where its environment is not installed."""
    library = peer.partition("_")[0]
    files = [path for path in sorted((root / "requirements").glob("peers_*.in")) if not path.stem.startswith(SERVERS)]
    homes = [path.stem for path in files if library in _asked_for(path)]
    python = root / f".venv-{(homes or ['peers'])[0].replace('_', '-')}" / "bin" / "python"
    if not python.exists():
        raise CommandError(f"{peer}: its environment {python.parent.parent.name} is not installed: run scripts/peers --setup")
    return python


def _asked_for(path: Path) -> set[str]:
    return set(re.findall(r"^[A-Za-z0-9._-]+", path.read_text(encoding="utf-8"), re.MULTILINE))


def main() -> int:
    """Does not return: becomes the peer's process, with the same arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--peer", default="")
    python = str(python_of(parser.parse_known_args()[0].peer))
    os.execv(python, [python, "-P", "-m", MODULE, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(run(main))

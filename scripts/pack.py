"""Packs a model folder into `model.tar.gz` as SageMaker would, but byte for byte the same for the same files.

    python -m scripts.pack MODEL_DIR model.tar.gz

Names are sorted, and times, owners and the name in the gzip header left out; `train` calls this.
"""

from __future__ import annotations

import gzip
import sys
import tarfile
from pathlib import Path


def pack(folder: Path, target: Path) -> None:
    """Writes every file in ``folder`` into ``target``, by a temporary file beside it. Raises ``OSError`` where that cannot be written."""
    partial = target.with_name(f".{target.name}.partial")
    # Level 1: the arrays are numbers, a higher level takes many times as long for a few per cent.
    with (
        partial.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as content:
                archive.addfile(entry, content)
    partial.replace(target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    pack(Path(sys.argv[1]), Path(sys.argv[2]))

"""Trains on this machine, by the same entry point that SageMaker starts, and packs the model as SageMaker does.

    scripts/train --interactions events.csv --items songs.csv --output trained
    scripts/train --items dataset.csv.gz --output trained                        # no events: by content alone
    scripts/train --interactions train.parquet --test test.parquet --output trained -p models=popularity,ease -p ease_l2=10

A channel is a file or a folder of files. Afterwards DIR/model holds the model, DIR/output the evaluation, DIR/model.tar.gz the artifact.
`-p` takes the hyperparameters that SageMaker takes: `python -m training.config` lists them. Exit codes are those of the container.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from container import exit_codes
from scripts.command_line import CommandError, key_values, run
from scripts.pack import pack

ENTRY_POINT = Path(__file__).resolve().parent.parent / "container" / "bin" / "train"
CHANNELS = {
    "interactions": "who listened to what",
    "items": "the song catalogue",
    "users": "the listeners",
    "test": "events of known listeners, to evaluate on",
}
REPORTS = ("evaluation.json", "evaluation.txt", "failure")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code of the training. Raises ``CommandError`` for a mistake on the command line."""
    options = parse_arguments(arguments)
    hyperparameters = key_values(options.parameters, "-p")
    channels = {name: path.resolve() for name in CHANNELS if (path := getattr(options, name)) is not None}
    for name, path in channels.items():
        if not path.exists():
            raise CommandError(f"--{name} {path}: no such file or folder")
    if not channels.keys() & {"interactions", "items"}:
        raise CommandError("name --interactions, --items, or both: the files to learn from")
    output = options.output.resolve()
    clear(output)
    with tempfile.TemporaryDirectory(prefix="train-") as base:
        lay_out(Path(base), output, channels, hyperparameters)
        code = run_entry_point(Path(base))
        bring_back(Path(base), output)
    if code == exit_codes.DONE:
        artifact = output / "model.tar.gz"
        pack(output / "model", artifact)
        print(f"\nmodel       {output / 'model'}\nevaluation  {output / 'output' / 'evaluation.json'}")
        print(f"artifact    {artifact} ({artifact.stat().st_size / 1e6:.1f} MB)")
    return code


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, what in CHANNELS.items():
        parser.add_argument(f"--{name}", type=Path, metavar="PATH", help=what)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the results go; a model there is replaced")
    parser.add_argument("-p", dest="parameters", action="append", default=[], metavar="key=value", help="a hyperparameter; may be repeated")
    return parser.parse_args(arguments)


def clear(output: Path) -> None:
    """Makes ``output`` ready: removes what an earlier training left there, and nothing else.

    Raises ``CommandError`` where ``model`` in it is not ours to remove, or nothing can be written.
    """
    model, reports = output / "model", output / "output"
    if model.is_dir() and any(model.iterdir()) and not (model / "model.json").exists():
        raise CommandError(f"{model} holds something that is not a model: name another folder with --output")
    try:
        shutil.rmtree(model, ignore_errors=True)
        for old in (output / "model.tar.gz", *(reports / name for name in REPORTS)):
            old.unlink(missing_ok=True)
        for folder in (model, reports):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"--output {output} can't be written: {error.strerror}") from None


def lay_out(base: Path, output: Path, channels: Mapping[str, Path], hyperparameters: Mapping[str, str]) -> None:
    """Makes ``base`` look like ``/opt/ml``: channels and the model folder are links, so nothing is copied."""
    config, data = base / "input" / "config", base / "input" / "data"
    config.mkdir(parents=True)
    data.mkdir()
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters), encoding="utf-8")
    (base / "model").symlink_to(output / "model")
    for name, path in channels.items():
        if path.is_dir():
            (data / name).symlink_to(path)
        else:
            (data / name).mkdir()
            (data / name / path.name).symlink_to(path)


def run_entry_point(base: Path) -> int:
    """Runs it and waits. Ctrl-C reaches it by itself, SIGTERM is passed on; it cleans up and ends with its own code."""
    with subprocess.Popen([str(ENTRY_POINT)], env={**os.environ, "SAGEMAKER_BASE_DIR": str(base)}) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def bring_back(base: Path, output: Path) -> None:
    """Copies the reports, and the reason of a failure, out of the temporary folder."""
    data, failure = base / "output" / "data", base / "output" / "failure"
    if data.is_dir():
        shutil.copytree(data, output / "output", dirs_exist_ok=True)
    if failure.is_file():
        shutil.copy(failure, output / "output" / "failure")


if __name__ == "__main__":
    sys.exit(run(main))

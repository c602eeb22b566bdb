"""Trains on this machine, by the same entry point that SageMaker starts, and packs the model as SageMaker does.

    scripts/train --interactions events.csv --items songs.csv --output trained
    scripts/train --items dataset.csv.gz --output trained                        # no events: by content alone
    scripts/train --interactions train.parquet --test test.parquet --output trained -p models=popularity,ease -p ease_l2=10

    scripts/train --interactions s3://bucket/events/2025 s3://bucket/events/2026 --items songs.csv --output trained

A channel is a file, a folder of files, s3://bucket/prefix (all objects whose keys begin so; they are fetched into TMPDIR first), or several
of these. `--endpoint-url` or AWS_ENDPOINT_URL names another S3 server than Amazon's. Afterwards DIR/model holds the model, DIR/output the
evaluation, what was found in the data (quality_report.html) and what the model was made of (lineage.json), DIR/model.tar.gz the artifact.
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
from typing import Any

from container import exit_codes
from scripts.command_line import CommandError, key_values, run
from scripts.pack import pack
from scripts.s3_channels import S3Place, connect, download, find, is_s3

ENTRY_POINT = Path(__file__).resolve().parent.parent / "container" / "bin" / "train"
CHANNELS = {
    "interactions": "who listened to what",
    "items": "the song catalogue",
    "users": "the listeners",
    "test": "events of known listeners, to evaluate on",
    "model": "an earlier model, whose settings and weights are taken",
}
REPORTS = (
    "evaluation.json",
    "evaluation.txt",
    "quality_report.json",
    "quality_report.html",
    "lineage.json",
    "statistics.json",
    "constraints.json",
    "split.npz",
    "evaluation_details.npz",
    "failure",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code of the training. Raises ``CommandError`` for a mistake on the command line."""
    options = parse_arguments(arguments)
    hyperparameters = key_values(options.parameters, "-p")
    places = {name: tuple(given) for name in CHANNELS if (given := getattr(options, name))}
    for name, given in places.items():
        for place in given:
            if not is_s3(place) and not Path(place).exists():
                raise CommandError(f"--{name} {place}: no such file or folder")
    if any(Path(place).resolve().is_relative_to(options.output.resolve()) for place in places.get("model", ()) if not is_s3(place)):
        raise CommandError("--output would replace the model that --model names: name another folder")
    if not places.keys() & {"interactions", "items"}:
        raise CommandError("name --interactions, --items, or both: the files to learn from")
    s3 = connect(options.endpoint_url) if any(is_s3(place) for given in places.values() for place in given) else None
    found = {place: find(s3, place) for given in places.values() for place in given if is_s3(place)}
    output = options.output.resolve()
    clear(output)
    with tempfile.TemporaryDirectory(prefix="train-") as base:
        local = fetch(s3, found, Path(base) / "s3")
        channels = {name: [local.get(place) or Path(place).resolve() for place in given] for name, given in places.items()}
        lay_out(Path(base), output, channels, hyperparameters)
        code = run_entry_point(Path(base))
        bring_back(Path(base), output)
    if code == exit_codes.DONE:
        artifact = output / "model.tar.gz"
        pack(output / "model", artifact)
        print(f"\nmodel       {output / 'model'}\nevaluation  {output / 'output' / 'evaluation.json'}")
        print(f"data        {output / 'output' / 'quality_report.html'}\norigin      {output / 'output' / 'lineage.json'}")
        print(f"artifact    {artifact} ({artifact.stat().st_size / 1e6:.1f} MB)")
    return code


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, what in CHANNELS.items():
        parser.add_argument(f"--{name}", nargs="+", action="extend", metavar="PLACE", help=f"{what}: files, folders, s3://bucket/prefix")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the results go; a model there is replaced")
    parser.add_argument("-p", dest="parameters", action="append", default=[], metavar="key=value", help="a hyperparameter; may be repeated")
    parser.add_argument("--endpoint-url", metavar="URL", help="of another S3 server than Amazon's (AWS_ENDPOINT_URL)")
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


def fetch(s3: Any, found: Mapping[str, S3Place], folder: Path) -> dict[str, Path]:
    """Downloads each place into a folder of its own below ``folder``, and returns the folders by place."""
    folders = {place: folder / str(number) for number, place in enumerate(found)}
    for made in folders.values():
        made.mkdir(parents=True)
    download(s3, [(found[place], made) for place, made in folders.items()])
    return folders


def lay_out(base: Path, output: Path, channels: Mapping[str, Sequence[Path]], hyperparameters: Mapping[str, str]) -> None:
    """Makes ``base`` look like ``/opt/ml``: channels and the model folder are links, so nothing is copied.

    A channel of one folder is that folder; of several places each gets a name of its own in it, numbered where names repeat.
    """
    config, data = base / "input" / "config", base / "input" / "data"
    config.mkdir(parents=True)
    data.mkdir()
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters), encoding="utf-8")
    (base / "model").symlink_to(output / "model")
    for name, paths in channels.items():
        if len(paths) == 1 and paths[0].is_dir():
            (data / name).symlink_to(paths[0])
            continue
        (data / name).mkdir()
        for path in paths:
            link, number = data / name / path.name, 2
            while link.is_symlink():
                link, number = data / name / f"{number}-{path.name}", number + 1
            link.symlink_to(path)


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

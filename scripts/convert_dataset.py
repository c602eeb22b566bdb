"""Turns a song catalogue and listening events into the datasets of Amazon Personalize, or those into channels for training.

    scripts/convert_dataset --interactions events.csv --items dataset.csv.gz --to personalize --output personalize
    scripts/convert_dataset --items songs/ --to personalize --output personalize --songs 10000 --seed 7 -p data_item_column=uri
    scripts/convert_dataset --interactions personalize --items personalize --users personalize --to channels --output channels

A path is a file or a folder of files; what training reads can be converted. `--to personalize` writes interactions.csv, items.csv and
users.csv, each with its schema (items-schema.json), and the quality report. `--to channels` reads such files, holds every value against
the schema beside them, and writes a folder for each channel. `-p` takes the hyperparameters that say how data is read and what is
done about its problems: `python -m training.config` lists them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from scripts.command_line import CommandError, key_values, run
from training.config import ConfigError, TrainingConfig
from training.data.dataset import Dataset
from training.data.errors import UserDataError
from training.data.event_rows import event_rows
from training.data.extract import extract
from training.personalize.event_columns import EventPolicy
from training.personalize.export import Written, write_interactions, write_items, write_users
from training.personalize.read import to_channels
from training.quality.report import write_quality_report

CHANNELS = {"interactions": "who listened to what", "items": "the song catalogue", "users": "the listeners"}
SAMPLES = {"events": "events", "listeners": "listeners, with all their events", "songs": "songs, with all their events"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0. Raises ``CommandError`` for a mistake on the command line or in the data."""
    options = parse_arguments(arguments)
    channels = {name: path.resolve() for name in CHANNELS if (path := getattr(options, name)) is not None}
    if not channels:
        raise CommandError("name --interactions, --items or --users: the files to convert")
    for name, path in channels.items():
        if not path.exists():
            raise CommandError(f"--{name} {path}: no such file or folder")
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        if options.to == "channels":
            back(channels, options)
        else:
            there(channels, options)
    except (UserDataError, ConfigError) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{error.filename or options.output}: {error.strerror}") from None
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/convert_dataset", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, what in CHANNELS.items():
        parser.add_argument(f"--{name}", type=Path, metavar="PATH", help=what)
    parser.add_argument("--to", choices=("personalize", "channels"), required=True, help="what to write")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where to write it; files of the same name are replaced")
    parser.add_argument("-p", dest="parameters", action="append", default=[], metavar="key=value", help="a hyperparameter; may be repeated")
    for name, what in SAMPLES.items():
        parser.add_argument(f"--{name}", dest=f"sample_{name}", type=int, metavar="N", help=f"keep exactly so many {what}")
    parser.add_argument("--seed", type=int, metavar="S", help="of the choice of what is kept")
    parser.add_argument(
        "--first-time",
        type=int,
        metavar="SECONDS",
        help="number events without a time in their order, one a second from this one on (seconds since 1970); without it they are refused",
    )
    parser.add_argument("--drop-unfit-ids", action="store_true", help="leave out rows whose ids Amazon Personalize can't have")
    return parser.parse_args(arguments)


def there(channels: Mapping[str, Path], options: argparse.Namespace) -> None:
    """Writes the datasets of Amazon Personalize and says what was merged, dropped and changed."""
    config = TrainingConfig.from_hyperparameters(hyperparameters(options))
    dataset, events = read(channels, config)
    print_dataset(dataset)
    output: Path = options.output
    written = []
    if "interactions" in channels:
        written.append(write_interactions(events, output, EventPolicy(options.first_time, options.drop_unfit_ids)))
    if dataset.catalogue is not None:
        written.append(write_items(dataset.item_ids, dataset.catalogue, output, options.drop_unfit_ids))
    if dataset.n_users:
        song_counts = np.bincount(dataset.interactions.users, minlength=dataset.n_users)
        written.append(write_users(dataset.user_ids, song_counts, output, options.drop_unfit_ids))
    write_quality_report(dataset, config, output)
    for one in written:
        print_written(one)


def back(channels: Mapping[str, Path], options: argparse.Namespace) -> None:
    """Writes channels from the datasets of Amazon Personalize."""
    given = {**{f"--{name}": getattr(options, f"sample_{name}") for name in SAMPLES}, "-p": options.parameters or None}
    given |= {"--seed": options.seed, "--first-time": options.first_time}
    unused = [name for name, value in given.items() if value is not None]
    if unused:
        raise CommandError(f"{', '.join(unused)}: --to channels keeps all as it is; give this when you train on the channels")
    for name, rows in to_channels(channels, options.output).items():
        print(f"{options.output / name}  {rows:,} rows")


def hyperparameters(options: argparse.Namespace) -> dict[str, str]:
    """The settings of ``-p``, and of the options that are another name for one."""
    values = key_values(options.parameters, "-p")
    for name in (*(f"sample_{name}" for name in SAMPLES), "seed"):
        value = getattr(options, name)
        if value is not None:
            if name in values:
                raise CommandError(f"--{name.removeprefix('sample_')} and -p {name} are the same setting: give one of them")
            values[name] = str(value)
    return values


def read(channels: Mapping[str, Path], config: TrainingConfig) -> tuple[Dataset, Iterator[pa.Table]]:
    """The dataset, and its events as they are, one row each; both with the same songs and listeners."""
    dataset = extract(channels, config)
    return dataset, event_rows(channels, config, dataset)


def print_dataset(dataset: Dataset) -> None:
    for step in dataset.steps:
        print(f"{step.channel}: {step.name}: {step.rows_in:,} rows in, {step.rows_out:,} out")
    for kind, problem in sorted(dataset.ledger.problems.items()):
        column = f' in "{kind.column}"' if kind.column else ""
        where = ""
        if problem.examples:
            file, row, value = problem.examples[0]
            where = f", the first in {file}" + (f", row {row:,}" if row else "") + (f": {value}" if value else "")
        print(f"{kind.channel}: {kind.kind.replace('_', ' ')}{column}: {problem.count:,}, {dataset.ledger.action(kind.kind)}{where}")
    for name, count in sorted(dataset.counts.items()):
        print(f"{name}: {count:,}")


def print_written(one: Written) -> None:
    print(f"\n{one.data}  {one.rows:,} rows\n{one.schema}")
    for name, count in sorted(one.counts.items()):
        print(f"  {name.replace('_', ' ')}: {count:,}")
    for note in one.notes:
        print(f"  note: {note}")


if __name__ == "__main__":
    sys.exit(run(main))

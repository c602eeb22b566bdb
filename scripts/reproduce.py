"""Trains on a public split and prints our row beside the published ones, under the split's own definitions.

    scripts/reproduce gowalla                             # train.parquet, test.parquet, published.csv
    scripts/reproduce yelp2018 -p models=ease             # train.txt, test.txt as LightGCN has them, published.csv if there is one
    scripts/reproduce ml-100k                             # ratings.parquet: no standard split, so a hold-out by time of our own

DIR/train and DIR/test go through the usual pipeline as the channels `interactions` and `test`. LightGCN's text (`listener item item ...`)
is turned into CSV first. Recall is divided by all songs to be found, nDCG is as in LightGCN: both are those of `evaluation.json`. Of
published figures (`published.csv`: Model, Recall@20, NDCG@20, ..., Contributor) the table shows who reported them: we have not run those
models.
"""

from __future__ import annotations

import argparse
import csv
import html
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import train as training
from scripts.answer_table import table
from scripts.command_line import CommandError, key_values, run

MEASURES = {
    "Recall@20": "recall_at_20",
    "NDCG@20": "ndcg_at_20",
    "Recall@50": "recall_at_50",
    "NDCG@50": "ndcg_at_50",
    "HitRate@20": "hit_rate_at_20",
}
OURS = "ours"
_TAGS = re.compile(r"<[^>]*>")
DEFAULTS = {"evaluation_k": "20,50", "data_weighting": "binary", "split_max_test_listeners": "1000000"}


@dataclass(frozen=True)
class Published:
    """One row: the model, where it was published, its figures by the name of the column (None where empty), and who reported them."""

    model: str
    publication: str
    figures: Mapping[str, float | None]
    source: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code of the training. Raises ``CommandError`` where the folder holds no split that is known."""
    options = parse_arguments(arguments)
    given = key_values(options.parameters, "-p")
    published = read_published(options.folder / "published.csv")
    with tempfile.TemporaryDirectory(prefix="reproduce-") as base:
        channels, settings = channels_of(options.folder, Path(base))
        tuned = {} if "hybrid_weights" in given else {"tune": "auto"}
        parameters = {**DEFAULTS, **tuned, **settings, **given}
        command = [part for name, path in channels.items() for part in (f"--{name}", str(path))]
        command += [part for name, value in parameters.items() for part in ("-p", f"{name}={value}")]
        if code := training.main([*command, "--output", str(options.output)]):
            return code
    document = json.loads((options.output / "output" / "evaluation.json").read_text(encoding="utf-8"))
    if "reason" in document:
        raise CommandError(f"nothing could be measured: {document['reason']}")
    (evaluation,) = document.values()
    lines = table_of(evaluation, published)
    text = "\n".join([f"{options.folder.name}: {evaluation['listeners']} listeners ({evaluation['source']})", *table(lines)])
    print(f"\n{text}")
    (options.output / "reproduced.txt").write_text(text + "\n", encoding="utf-8")
    return 0


def channels_of(folder: Path, base: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Returns the channels of a split, and the settings that it needs. What has to be converted is written below ``base``."""
    for kind in ("parquet", "csv"):
        if (folder / f"train.{kind}").exists() and (folder / f"test.{kind}").exists():
            return {"interactions": folder / f"train.{kind}", "test": folder / f"test.{kind}"}, {}
    if (folder / "train.txt").exists() and (folder / "test.txt").exists():
        converted = {"interactions": base / "train.csv", "test": base / "test.csv"}
        for name, path in converted.items():
            write_pairs(folder / f"{'train' if name == 'interactions' else 'test'}.txt", path)
        return converted, {}
    for name in ("ratings.parquet", "ratings.csv"):
        if (folder / name).exists():
            return {"interactions": folder / name}, {"split_kind": "time"}
    raise CommandError(f"{folder}: no train and test (.parquet, .csv, .txt), and no ratings (.parquet, .csv)")


def write_pairs(source: Path, target: Path) -> None:
    """Turns LightGCN's lines ``listener item item ...`` into CSV. Raises ``CommandError`` that names the line that is none."""
    try:
        with source.open(encoding="ascii") as lines, target.open("w", encoding="ascii") as out:
            out.write("USER_ID,ITEM_ID\n")
            for number, line in enumerate(lines, 1):
                ids = line.split()
                if not all(one.isdigit() for one in ids):
                    raise CommandError(f"{source}, line {number}: a line is the number of a listener and those of items")
                out.writelines(f"{ids[0]},{item}\n" for item in ids[1:])
    except UnicodeDecodeError:
        raise CommandError(f"{source}: this is no text of numbers") from None


def read_published(path: Path) -> list[Published]:
    """Returns the published rows; none where there is no such file. Raises ``CommandError`` where it has other columns."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        columns = set(reader.fieldnames or ())
        if not {"Model", "Recall@20", "NDCG@20"} <= columns:
            raise CommandError(f"{path}: it needs the columns Model, Recall@20 and NDCG@20")
        return [
            Published(
                row["Model"],
                row.get("Publication") or "",
                {name: float(row[name]) if row.get(name) else None for name in MEASURES if name in columns},
                html.unescape(_TAGS.sub("", row.get("Contributor") or "")).strip(),
            )
            for row in reader
        ]


def table_of(evaluation: Mapping[str, Any], published: Sequence[Published]) -> list[list[str]]:
    """Returns the rows of the table, best recall@20 first, our models among the others."""
    shown = [name for name in MEASURES if not published or any(row.figures.get(name) is not None for row in published)]
    found: list[tuple[float, list[str]]] = []
    for model, figures in evaluation["models"].items():
        values = [figures[MEASURES[name]] for name in shown]
        interval = f"95 % interval of recall@20: {values[0]['low']:.4f} to {values[0]['high']:.4f}"
        found.append((values[0]["mean"], [f"{OURS}: {model}", "", *(f"{value['mean']:.4f}" for value in values), interval]))
    for row in published:
        cells = ["" if (value := row.figures.get(name)) is None else f"{value:.4f}" for name in shown]
        found.append(
            (row.figures.get("Recall@20") or 0.0, [row.model, row.publication, *cells, f"reported by {row.source}" if row.source else ""])
        )
    return [["model", "published", *shown, "source"], *(cells for _, cells in sorted(found, key=lambda pair: -pair[0]))]


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/reproduce", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="the split")
    parser.add_argument("-p", dest="parameters", action="append", default=[], metavar="key=value", help="a hyperparameter; may be repeated")
    parser.add_argument("--output", type=Path, default=Path("runs/reproduce"), metavar="DIR", help="where the model goes (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(run(main))

"""Small channels, written and extracted as a job does it, and text that no report may be broken by."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tests.training.data.conftest import settings
from training.config import TrainingConfig
from training.data.dataset import Dataset, InputFile, Labels, Step
from training.data.extract import extract
from training.data.problems import Example, Kind, Ledger, Problem
from training.quality.document import quality_document

Files = Mapping[str, str | bytes]
Rows = list[dict[str, str]]
Document = dict[str, Any]


def read(folder: Path, files: Files, **config: object) -> tuple[Dataset, TrainingConfig]:
    """Writes {"channel/path": content} into a folder and extracts the channels; keywords as for ``settings``."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    channels = {name.split("/")[0]: folder / name.split("/")[0] for name in files}
    chosen = settings(**config)
    return extract(channels, chosen), chosen


def document_of(folder: Path, files: Files, **config: object) -> Document:
    return quality_document(*read(folder, files, **config))


def as_csv(rows: Rows) -> str:
    """The rows with all columns that any of them has."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json_lines(rows: Sequence[Mapping[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def texts_of(part: object) -> Iterator[str]:
    """Every text of a document, names of fields too."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for name, value in part.items():
            yield name
            yield from texts_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from texts_of(value)


class Good:
    """Data of which nothing is to be told. ``songs``, ``events`` and ``test`` are rows that a test may change; ``others``: more files."""

    def __init__(self, **size: Any) -> None:
        self.build(**size)

    def build(self, songs: int = 120, listeners: int = 120, per: int = 8, start: date = date(2020, 1, 1)) -> None:
        """Every listener has ``per`` songs, every song has equally many listeners, and every one of 60 days has events."""
        self.songs = [self.song(i) for i in range(songs)]
        self.events = [
            {"user": f"u{u}", "item": self.songs[place % songs]["id"], "time": str(start + timedelta(place % 60))}
            for u in range(listeners)
            for place in range(u * per, (u + 1) * per)
        ]
        self.test: Rows = []
        self.others: dict[str, str] = {}

    @staticmethod
    def song(i: int) -> dict[str, str]:
        return {
            **{"id": f"artist {i % 40} - song {i}", "title": f"Song {i}", "artist": f"Artist {i % 40}", "genre": f"genre {i % 7}"},
            **{"year": str(1980 + i % 40), "popularity": str(1 + i % 90), "energy": f"{i % 10 / 10}", "tempo": str(60 + i % 100)},
        }

    def files(self) -> dict[str, str]:
        files = {"items/songs.csv": as_csv(self.songs), "interactions/events.csv": as_csv(self.events)}
        return files | ({"test/events.csv": as_csv(self.test)} if self.test else {}) | self.others


HOSTILE = (
    "</script><script>alert(\"1\")</script><img src=x onerror='alert(1)'>&amp;\0\x07\x1b[31m\ud800\udfff\u202eأغنية\u2066\u2028\r\n\t🎵"
)
LONG = "x" * 10_000


def hostile(place: int) -> str:
    """One of them, so that no two are equal and the place is still there when it was cut."""
    return f"<b>{place}</b>{HOSTILE}{LONG}"


def hostile_dataset(folder: Path) -> tuple[Dataset, TrainingConfig]:
    """Data that has hostile text wherever it may have text; also what no file can hold, such as halves of characters."""
    data = Good(songs=60)
    data.test = [{"user": f"u{u}", "item": data.songs[(8 * u + 9) % 60]["id"]} for u in range(20)]
    for i, song in enumerate(data.songs):
        song |= {"emotion": f"emotion {i % 3}", "mood": f"mood {i % 2}", "plays": str(i), "notes": "some words here"}
    own = {"features_numeric": "plays", "features_categorical": "mood", "features_text": "notes"}
    dataset, config = read(folder, data.files(), **own)
    catalogue = dataset.catalogue
    assert catalogue is not None
    n = len(catalogue)
    rename = {name: hostile(place) for place, name in enumerate(("plays", "mood", "notes"))}
    texts = np.array([hostile(i) for i in range(n)], dtype=object)
    catalogue = dataclasses.replace(
        catalogue,
        titles=texts,
        artist_texts=texts,
        artists=[(hostile(i % 5), HOSTILE) for i in range(n)],
        genres=[(hostile(i % 5), HOSTILE) for i in range(n)],
        labels={
            rename.get(name, name): Labels(one.codes, tuple(map(hostile, range(len(one.names))))) for name, one in catalogue.labels.items()
        },
        numbers={rename[name]: one for name, one in catalogue.numbers.items()},
        terms={rename[name]: one for name, one in catalogue.terms.items()},
        columns={
            f"{role.partition(':')[0]}:{rename[role.partition(':')[2]]}" if ":" in role else role: hostile(place)
            for place, role in enumerate(catalogue.columns)
        },
    )
    problems = {
        Kind("items", kind, hostile(0)): Problem(50, [Example(hostile(1), row, hostile(row)) for row in (0, 7)])
        for kind in dataset.ledger.policies
    }
    return (
        dataclasses.replace(
            dataset,
            item_ids=texts,
            catalogue=catalogue,
            ledger=Ledger(dataset.ledger.policies, dataset.ledger.counts, problems),
            counts=dataset.counts | {"items.dropped_missing_id": 60, f"items.{HOSTILE}": 3},
            steps=[Step(HOSTILE, one.channel, one.rows_in, one.rows_out, {HOSTILE: hostile(0)}) for one in dataset.steps],
            files=[_hostile_file(one) for one in dataset.files],
        ),
        dataclasses.replace(config, data=dataclasses.replace(config.data, event_weights={HOSTILE: 1.0}, title_column=HOSTILE)),
    )


def _hostile_labels(labels: Labels) -> Labels:
    return Labels(labels.codes, tuple(map(hostile, range(len(labels.names)))))


def _hostile_file(file: InputFile) -> InputFile:
    columns = {name: hostile(place) for place, name in enumerate(file.columns)}
    roles = {role: columns[column] for role, column in list(file.roles.items())[1:]}
    return dataclasses.replace(file, name=HOSTILE, columns=tuple(columns.values()), roles=roles)

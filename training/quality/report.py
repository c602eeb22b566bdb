"""The data quality report: ``quality_report.json`` for programs, ``quality_report.html`` for people, a few lines for the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.quality.document import quality_document
from training.quality.page import page
from training.quality.wording import count, counted, percent

QUALITY_JSON = "quality_report.json"
QUALITY_HTML = "quality_report.html"
MOST_IN_A_LINE = 4
MOST_FINDINGS = 6


def write_quality_report(dataset: Dataset, config: TrainingConfig, output_dir: Path) -> dict[str, Any]:
    """Writes ``quality_report.json`` and ``quality_report.html`` into ``output_dir`` (made if missing); returns the JSON's document.

    Each file is there whole or not at all. What the document holds: see ``quality_document``.
    """
    document = quality_document(dataset, config)
    output_dir.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False)
    _write(output_dir / QUALITY_JSON, text + "\n")
    _write(output_dir / QUALITY_HTML, page(document))
    return document


def summary(document: dict[str, Any]) -> list[str]:
    """What a person sees of the report in the log: 5 to 15 lines, in ASCII, since not every log takes more."""
    totals = document["totals"]
    rows = ", ".join(f"{count(rows)} of {channel}" for channel, rows in totals["rows_read"].items()) or "none"
    lines = [
        f"data quality: {counted(totals['songs'], 'song')} ({count(totals['songs_in_catalogue'])} in the catalogue), "
        f"{counted(totals['listeners'], 'listener')}, {count(totals['entries'])} pairs of a listener and a song",
        f"  rows read: {rows}, from {counted(len(document['files']), 'file')}",
        f"  rows left out: {_left_out(document['left_out'])}",
        f"  said twice and merged: {_merged(document['duplicates'])}",
        f"  missing in the catalogue: {_missing(document['catalogue'])}",
        *_findings(document["attention"]),
        f"  all of it, with examples: {QUALITY_HTML} and {QUALITY_JSON} in the output of the job",
    ]
    return [line.encode("ascii", "backslashreplace").decode() for line in lines]


def _left_out(parts: list[dict[str, Any]]) -> str:
    said = [f"{count(one['count'])} {one['unit']} of {one['channel']} ({one['reason'].replace('_', ' ')})" for one in parts]
    return _listed(said)


def _merged(merged: dict[str, int]) -> str:
    words = {
        "song_rows_merged": "rows of songs",
        "songs_merged_by_title_and_artist": "songs of the same title and artist",
        "event_rows_counted_together": "events of the same listener and song",
        "listener_rows_merged": "rows of listeners",
    }
    return _listed([f"{count(merged[name])} {words[name]}" for name in words if merged[name]])


def _missing(catalogue: dict[str, Any] | None) -> str:
    if catalogue is None:
        return "there is no catalogue"
    given = [column for column in catalogue["columns"] if column["column"] is not None and column["missing"]]
    given.sort(key=lambda column: (-column["missing_share"], column["name"]))
    return _listed([f"{column['name']} {percent(column['missing_share'])}" for column in given])


def _findings(attention: list[dict[str, Any]]) -> list[str]:
    if not attention:
        return ["  nothing deserves attention"]
    lines = [f"  {one['severity']}: {one['text']}" for one in attention[:MOST_FINDINGS]]
    more = len(attention) - len(lines)
    return [f"  deserves attention ({len(attention)}):", *lines, *([f"  and {more} more"] if more else [])]


def _listed(parts: list[str]) -> str:
    more = len(parts) - MOST_IN_A_LINE
    return ", ".join(parts[:MOST_IN_A_LINE]) + (f" and {more} more" if more > 0 else "") or "none"


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)

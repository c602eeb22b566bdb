"""Answers of the model as text for people: a table of songs with scores and reasons."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.command_line import CommandError

ID_COLUMNS = ("item_id", "track_id", "song_id", "id")
TITLE_COLUMNS = ("track_name", "title", "song", "name")
ARTIST_COLUMNS = ("artists", "artist", "artist(s)", "artist_name")
FALLBACKS = {
    "content": "by content: nobody has played these songs yet",
    "context": "by the name and the like alone: no song of this listener is known",
    "popularity": "by popularity: nothing is known about this listener",
    "popularity_fill": "filled up by popularity",
}
MAX_WIDTH = 60


def describe_answer(body: bytes, titles: Mapping[str, str]) -> str:
    """Returns JSON or JSON Lines answers as tables; a body that is neither (CSV) comes back as it is."""
    text = body.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            return text.rstrip("\n")
    return "\n\n".join(_one(answer, titles) for answer in (value if isinstance(value, list) else [value]))


def _one(answer: Any, titles: Mapping[str, str]) -> str:
    if isinstance(answer, dict) and "error" in answer and isinstance(answer["error"], dict):
        return f"error {answer['error'].get('code')}: {answer['error'].get('message')}"
    if not isinstance(answer, dict) or "recommendations" not in answer:  # Personalize's shapes, for instance
        return json.dumps(answer, indent=2, ensure_ascii=False)
    heading = [f"listener {answer['user_id']}" if answer.get("user_id") else "new listener", f"model {answer.get('model_version')}"]
    if fallback := answer.get("fallback"):
        heading.append(FALLBACKS.get(fallback, str(fallback)))
    if unknown := answer.get("unknown_items"):
        heading.append(f"not known: {', '.join(unknown[:5])}{' …' if len(unknown) > 5 else ''}")
    return "\n".join([" · ".join(heading), *table(_rows(answer["recommendations"], titles))])


def _rows(recommendations: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> list[list[str]]:
    explained = any(one.get("reasons") for one in recommendations)
    rows = [["#", "song", "score", *(["because of"] if explained else [])]]
    for place, one in enumerate(recommendations, 1):
        cells = [str(place), _song(one, titles), f"{one['score']:.4f}"]
        rows.append([*cells, _reasons(one.get("reasons") or [], titles)] if explained else cells)
    return rows


def _song(recommendation: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    item_id = recommendation["item_id"]
    described = " · ".join(str(value) for value in (recommendation.get("metadata") or {}).values() if value)
    return titles.get(item_id) or (f"{described} [{item_id}]" if described else item_id)


def _reasons(reasons: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    """Returns the three strongest reasons. One without a song (popularity) goes by the name of its models."""
    names = [titles.get(one["item_id"], one["item_id"]) if one.get("item_id") else "+".join(one.get("models", {})) for one in reasons]
    return ", ".join(f"{_cut(name)} {one['share']:.0%}" for name, one in list(zip(names, reasons, strict=True))[:3])


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns lines with the columns aligned: the first row is the heading, numbers stand right."""
    cut = [[*map(_cut, row[:-1]), row[-1]] for row in rows]
    widths = [max(len(row[column]) for row in cut) for column in range(len(cut[0]))]
    right = [all(_is_number(row[column]) for row in cut[1:]) for column in range(len(widths))]
    return ["  ".join(cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)).rstrip() for row in cut]


def _cut(text: str) -> str:
    return text if len(text) <= MAX_WIDTH else f"{text[: MAX_WIDTH - 1]}…"


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()


def read_catalogue(path: Path) -> dict[str, str]:
    """Returns the title and artist of each song in a CSV file, by its id. Raises ``CommandError`` if the columns are not found."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            names = {name.strip().lower(): name for name in reader.fieldnames or () if name}
            song, title, artist = (
                next((names[n] for n in wanted if n in names), None) for wanted in (ID_COLUMNS, TITLE_COLUMNS, ARTIST_COLUMNS)
            )
            if song is None or title is None:
                raise CommandError(f"--catalogue {path}: it needs a column {' or '.join(ID_COLUMNS)}, and one {' or '.join(TITLE_COLUMNS)}")
            return {row[song]: " · ".join(row[column] for column in (title, artist) if column and row[column]) for row in reader}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"--catalogue {path} cannot be read as CSV: {error}") from None

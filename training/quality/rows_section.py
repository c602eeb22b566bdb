"""The parts of the page about files and rows: what was read, what became of the rows, what was wrong with them."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from training.quality.markup import BREAK, Markup, element, foreign, joined, table
from training.quality.wording import count, counted, percent, size

MOST_FILES, MOST_LAYOUTS = 40, 8  # more files (layouts: columns and their roles) than this are in the JSON only
MOST_EXAMPLES = 60  # problems whose examples are shown
HASH = 12  # characters of a sha256


def files_section(files: list[dict[str, Any]]) -> Markup:
    """What was read: the files, then which of their columns were taken for what; files of the same columns are told once."""
    rows = [
        (
            foreign(one["name"]),
            f"{one['format']}, {one['schema']}",
            count(one["rows"]),
            size(one["size"]),
            element("code", one["sha256"][:HASH], class_="hash", title=one["sha256"]) if one["sha256"] else "not known",
        )
        for one in files[:MOST_FILES]
    ]
    heads = ["File", "Format and schema", "Rows", "Size", "SHA-256"]
    parts = [table(heads, rows, ["Rows", "Size"])] if rows else [element("p", "No file was read.")]
    if len(files) > MOST_FILES:
        parts.append(element("p", f"and {counted(len(files) - MOST_FILES, 'file')} more, which quality_report.json lists.", class_="dim"))
    layouts: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for one in files:
        layouts.setdefault((one["channel"], one["schema"], tuple(one["used"].items()), tuple(one["not_used"])), []).append(one)
    parts += [_layout(alike) for alike in list(layouts.values())[:MOST_LAYOUTS]]
    if len(layouts) > MOST_LAYOUTS:
        parts.append(element("p", f"The files have {len(layouts)} different sets of columns; quality_report.json has all.", class_="dim"))
    return joined(parts)


def _layout(files: list[dict[str, Any]]) -> Markup:
    first = files[0]
    names = foreign(first["name"]) if len(files) == 1 else f"{counted(len(files), 'file')} of the channel {first['channel']}"
    used = table(["Taken as", "Column in the file"], [(role, foreign(column)) for role, column in first["used"].items()])
    unused = first["not_used"]
    said: list[Markup | str] = [part for column in unused for part in (", ", foreign(column))][1:]
    rest = element("p", "Not used: ", *said, ".", class_="dim") if unused else element("p", "Every column is used.", class_="dim")
    n_columns = len(first["used"]) + len(unused)
    title = element("summary", f"{len(first['used'])} of {counted(n_columns, 'column')} used: ", names)
    return element("details", title, used, rest)


def steps_section(steps: list[dict[str, Any]], left_out: list[dict[str, Any]], merged: dict[str, int]) -> Markup:
    """The way of the rows: each step with what went in and came out, then why rows are not used, then what was said twice."""
    parts: list[Markup] = []
    for channel, some in groupby(steps, key=lambda step: step["channel"]):
        ways = list(some)
        start = max(ways[0]["rows_in"], 1)
        rows = [
            (
                joined([step["name"], *_settings(step["settings"])]),
                count(step["rows_in"]),
                count(step["rows_out"]),
                count(step["rows_out"] - step["rows_in"]).replace("-", "−") if step["rows_out"] != step["rows_in"] else "0",
                _track(step["rows_out"] / start),
            )
            for step in ways
        ]
        parts += [element("h3", "Channel ", channel), table(["Step", "In", "Out", "Change", "Left of all"], rows, ["In", "Out", "Change"])]
    parts.append(element("h3", "Rows that are not used"))
    if left_out:
        reasons = [
            (
                one["channel"],
                one["reason"].replace("_", " "),
                f"{count(one['count'])} {one['unit']}",
                percent(one["share"]),
                _codes(one["settings"]),
            )
            for one in left_out
        ]
        parts.append(table(["Channel", "Reason", "How many", "Of the channel", "Hyperparameter"], reasons, ["How many", "Of the channel"]))
    else:
        parts.append(element("p", "None: every row that was read is in the data that is learned from."))
    said = [f"{name.replace('_', ' ')}: {count(n)}" for name, n in merged.items() if n]
    parts += [element("h3", "Said more than once"), element("p", "; ".join(said) + "." if said else "Nothing.")]
    return joined(parts)


def problems_section(problems: list[dict[str, Any]]) -> Markup:
    """Every problem that was found: how often, what was done, how to change that, where it is. Then what was not found."""
    found = [one for one in problems if one["count"]]
    rows = [
        (
            joined([element("strong", one["kind"].replace("_", " ")), BREAK, _mark(one["severity"])]),
            joined([one["channel"], BREAK, foreign(one["column"]) if one["column"] else element("small", "the whole row")]),
            joined([count(one["count"]), BREAK, element("small", percent(one["share"]))]),
            joined([element("strong", one["action"]), ": ", one["meaning"]]),
            joined([element("code", one["setting"]), " = ", " or ".join(name for name in one["choices"] if name != one["action"])]),
            _examples(one["examples"]) if place < MOST_EXAMPLES else "see quality_report.json",
        )
        for place, one in enumerate(found)
    ]
    heads = ["Problem", "Where", "How often", "What was done", "To change it", "Examples"]
    parts = [table(heads, rows, ["How often"])] if rows else [element("p", "Nothing was found to be wrong with any row.")]
    if absent := [one for one in problems if not one["count"]]:
        names = [part for one in absent for part in (", ", one["kind"].replace("_", " "))][1:]
        parts.append(element("p", "Looked for and not found: ", *names, ".", class_="dim"))
    return joined(parts)


def _examples(examples: list[dict[str, Any]]) -> Markup:
    lines: list[Markup] = []
    for file, some in groupby(examples, key=lambda example: example["file"]):
        lines.append(element("li", element("small", foreign(file))))
        for one in some:
            row = f"row {count(one['row'])}" if one["row"] else "row not known"
            lines.append(element("li", row, ": ", foreign(one["value"]) if one["value"] else element("small", "empty")))
    return element("ul", *lines)


def _settings(settings: dict[str, str]) -> list[Markup]:
    return [joined([" ", element("code", f"{name} = {value}")]) for name, value in settings.items()]


def _codes(names: list[str]) -> Markup | str:
    return joined([part for name in names for part in (" ", element("code", name))][1:]) if names else "none"


def _mark(severity: str) -> Markup:
    words = {"high": "matters much", "medium": "matters", "low": "matters little", "none": "not found"}
    return element("span", words[severity], class_=f"mark {severity}")


def _track(part: float) -> Markup:
    return joined([percent(part), element("span", element("i", style=f"width:{min(100.0, 100 * part):.1f}%"), class_="track")])

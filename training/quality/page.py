"""``quality_report.html``: one file that needs nothing else, made of the document alone. It has no scripts and asks no network."""

from __future__ import annotations

from typing import Any

from training.quality.events_section import events_section, tiles
from training.quality.markup import Markup, element, foreign, joined
from training.quality.rows_section import files_section, problems_section, steps_section
from training.quality.songs_section import songs_section
from training.quality.style import STYLE
from training.quality.wording import count

TITLE = "Data quality report"
# Nothing may be loaded, whatever the data says: styles stand in the page, everything else is forbidden.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(document: dict[str, Any]) -> str:
    """The document (see ``quality_document``) as a person reads it."""
    sections = [
        ("attention", "What deserves attention", _attention(document["attention"])),
        ("files", "What was read", files_section(document["files"])),
        ("rows", "The way of the rows", steps_section(document["steps"], document["left_out"], document["duplicates"])),
        ("problems", "Problems", problems_section(document["problems"])),
        ("songs", "Songs", songs_section(document["catalogue"])),
        ("listening", "Listening", events_section(document["interactions"], "listening")),
    ]
    if document["test"] is not None:
        sections.append(("test", "The channel test", events_section(document["test"], "test")))
    sections.append(("settings", "Settings", _settings(document["settings"])))
    links = element("nav", *(element("a", title, href=f"#{name}") for name, title, _ in sections), aria_label="Sections")
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="referrer" content="no-referrer">'),
        element("title", TITLE),
        Markup(f"<style>{STYLE}</style>"),
    )
    body = element(
        "body",
        element("header", element("h1", TITLE), _in_words(document), tiles(_totals(document)), links),
        element("main", *(element("section", element("h2", title), content, id=name) for name, title, content in sections)),
        element("footer", "The same in numbers, for programs: quality_report.json."),
    )
    return f'<!DOCTYPE html>\n<html lang="en">{head}{body}</html>\n'


def _in_words(document: dict[str, Any]) -> Markup:
    totals = document["totals"]
    parts = [f"{count(totals['songs'])} songs"]
    if document["catalogue"] is not None and totals["songs_in_catalogue"] != totals["songs"]:
        parts[0] += f" ({count(totals['songs_in_catalogue'])} of them in the catalogue)"
    parts.append(f"{count(totals['listeners'])} listeners" if totals["listeners"] else "no listeners")
    parts.append(f"{count(totals['entries'])} pairs of a listener and a song" if totals["entries"] else "no listening events")
    return element("p", f"What a model is trained on: {', '.join(parts)}.", class_="dim")


def _totals(document: dict[str, Any]) -> list[tuple[str, str]]:
    totals = document["totals"]
    found = [one for one in document["problems"] if one["count"]]
    read = [(f"rows of {channel} read", count(rows)) for channel, rows in totals["rows_read"].items()]
    lost = sum(one["count"] for one in document["left_out"] if one["unit"] == "rows")
    return [
        ("songs", count(totals["songs"])),
        ("listeners", count(totals["listeners"])),
        *read,
        ("rows left out", count(lost)),
        ("kinds of problems", count(len({one["kind"] for one in found}))),
        ("deserve attention", count(len(document["attention"]))),
    ]


def _attention(found: list[dict[str, Any]]) -> Markup:
    if not found:
        return element("p", "Nothing: no limit that this report knows is crossed. What was found is below.")
    words = {"high": "Important", "medium": "Look at it", "low": "Good to know"}
    return element(
        "ul",
        *(
            element(
                "li",
                element("span", words[one["severity"]], class_=f"mark {one['severity']}"),
                element("p", one["text"]),
                element("p", one["advice"]),
                class_=one["severity"],
            )
            for one in found
        ),
        class_="findings",
    )


def _settings(settings: dict[str, Any]) -> Markup:
    if not settings:
        return element("p", "All hyperparameters about data have their defaults.")
    lines = [joined([element("code", name), " = ", foreign(_spelled(value))]) for name, value in settings.items()]
    return joined(
        [element("p", "Hyperparameters about data that are not at their default:"), element("ul", *(element("li", one) for one in lines))]
    )


def _spelled(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {entry}" for name, entry in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

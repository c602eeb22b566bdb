"""Writes HTML. Text is escaped where it becomes markup, in one place, so that nothing foreign can be forgotten."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from training.quality.wording import JOINERS


class Markup(str):
    """Text that is HTML already. Any other ``str`` is escaped when it is put into an element."""

    __slots__ = ()


BREAK = Markup("<br>")


def escaped(text: str) -> Markup:
    """Any text as HTML: nothing in it is markup, and nothing that HTML has no place for (NUL, halves of characters) is left."""
    shown = "".join(one if one.isprintable() or one in JOINERS else " " if one.isspace() else "\ufffd" for one in text)
    return Markup(html.escape(shown, quote=True))


def element(name: str, *children: Markup | str | int | None, **attributes: str | int | float | None) -> Markup:
    """``<name attributes>children</name>``; None is left out. ``class_`` is the attribute class, ``data_label`` is data-label."""
    return Markup(f"<{name}{_written(attributes)}>{joined(children)}</{name}>")


def single(name: str, **attributes: str | int | float | None) -> Markup:
    """An element of SVG without children."""
    return Markup(f"<{name}{_written(attributes)}/>")


def joined(children: Iterable[Markup | str | int | None]) -> Markup:
    """The children one after the other."""
    return Markup("".join(child if isinstance(child, Markup) else escaped(str(child)) for child in children if child is not None))


def foreign(text: str) -> Markup:
    """Text of the data: its direction (Arabic, Hebrew) does not turn the text around it."""
    return element("bdi", text)


def table(
    heads: Sequence[str], rows: Iterable[Sequence[Markup | str | int | None]], numeric: Sequence[str] = (), caption: str = ""
) -> Markup:
    """A table whose rows become cards on a phone: each cell carries the name of its column. ``numeric``: heads of columns of numbers."""
    classes = ["number" if head in numeric else None for head in heads]
    head = element("tr", *(element("th", text, scope="col", class_=one) for text, one in zip(heads, classes, strict=True)))
    body = [
        element(
            "tr",
            *(element("td", cell, data_label=text, class_=one) for text, one, cell in zip(heads, classes, row, strict=True)),
        )
        for row in rows
    ]
    title = element("caption", caption) if caption else None
    return element("table", title, element("thead", head), element("tbody", *body))


def _written(attributes: dict[str, str | int | float | None]) -> str:
    pairs = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items() if value is not None)
    return "".join(f' {name}="{escaped(str(value))}"' for name, value in pairs)

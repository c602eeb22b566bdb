"""Reads a page as a browser would have to, and holds it against what a report may have: no scripts, nothing loaded, nothing left open."""

from __future__ import annotations

import re
import xml.etree.ElementTree
from html.parser import HTMLParser

VOID = {"meta", "br"}
PLOT = {"line", "rect", "polygon", "polyline", "path", "text"}
PARTS = {"html", "head", "title", "style", "body", "header", "main", "footer", "section", "nav", "h1", "h2", "h3", "p", "a", "bdi", "div"}
LISTS = {"ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary"}
TEXTS = {"strong", "small", "code", "span", "i", "figure", "figcaption", "svg", "desc"}
TAGS = VOID | PLOT | PARTS | LISTS | TEXTS
BLOCKS = {"p", "div", "ul", "ol", "dl", "table", "h2", "h3", "section", "details", "figure", "nav"}  # a browser ends an open <p> before
NAMES = {"lang", "charset", "name", "content", "http-equiv", "id", "href", "class", "style", "scope", "title", "role", "data-label"}
NAMES |= {"aria-label", "aria-labelledby", "aria-describedby"}
DRAWING = {"viewbox", "x", "y", "x1", "y1", "x2", "y2", "width", "height", "points", "d", "text-anchor"}
NUMBERS = re.compile(r"[-+MvhzV0-9. ,]*")


class Page(HTMLParser):
    """``problems``: all that a report must not have. ``headings``; ``foreign``: texts of the data; ``text``: all that is read."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.problems: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.named: list[str] = []  # ids that others refer to
        self.metas: dict[str, str] = {}
        self.headings: list[str] = []
        self.words: list[str] = []
        self.foreign: list[str] = []
        self.feed(html)
        self.close()
        self.problems += [f"<{tag}> is not closed" for tag in self.open]
        self.problems += [f"two of the id {one}" for one in set(self.ids) if self.ids.count(one) > 1]
        self.problems += [f"no element has the id {one}" for one in set(self.named) - set(self.ids)]
        self.drawings = [xml.etree.ElementTree.fromstring(found) for found in re.findall("<svg.*?</svg>", html, re.DOTALL)]

    @property
    def text(self) -> str:
        return "\n".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._check(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3"):
            self.headings.append("")
        if tag == "bdi":
            self.foreign.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._check(tag, attrs)
        if "svg" not in self.open:
            self.problems.append(f"<{tag}/> is left open by HTML")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes another element")

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            if re.search(r"url\(|@import|expression|<", data):
                self.problems.append("the style loads something")
            return
        self.words.append(data)
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings[-1] += data
        if self.open and self.open[-1] == "bdi":
            self.foreign[-1] += data

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        self.problems.append(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        self.problems.append(f"a declaration: {data}")

    def _check(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.problems.append(f"<{tag}>")
        if tag in BLOCKS and "p" in self.open:
            self.problems.append(f"<{tag}> in <p>")
        if len({name for name, _ in attrs}) < len(attrs):
            self.problems.append(f"<{tag}> has an attribute twice")
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            self._check_attribute(name, value)
        if tag == "meta":
            self.metas[given.get("http-equiv") or given.get("name") or "charset"] = given.get("content") or given["charset"]

    def _check_attribute(self, name: str, value: str) -> None:
        if name not in NAMES | DRAWING:
            self.problems.append(f"the attribute {name}")
        if name == "href" and not value.startswith("#"):
            self.problems.append(f"a link to {value}")
        if name == "style" and not re.fullmatch(r"width:(100\.0|\d?\d\.\d)%", value):
            self.problems.append(f"the style {value}")
        if name in DRAWING - {"text-anchor"} and not NUMBERS.fullmatch(value):
            self.problems.append(f'{name}="{value}" in a drawing')
        if name == "id":
            self.ids.append(value)
        if name in ("aria-labelledby", "aria-describedby") or (name == "href" and value.startswith("#")):
            self.named.append(value.removeprefix("#"))

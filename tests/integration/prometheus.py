"""Reads the text that Prometheus reads, strictly."""

from __future__ import annotations

import re

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)')


def parse(text: str) -> dict[str, float]:
    """Reads Prometheus' text by its grammar: each family is introduced, by help and type, before its samples, and once."""
    assert text.endswith("\n")
    values, families, current = {}, set(), ""
    lines = iter(text[:-1].split("\n"))
    for line in lines:
        if line.startswith("#"):
            mark, kind_of_line, current, rest = line.split(" ", 3)
            assert (mark, kind_of_line) == ("#", "HELP")
            assert current not in families
            assert rest
            families.add(current)
            assert re.fullmatch(rf"# TYPE {current} (counter|gauge|histogram)", next(lines))
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        assert name in (current, *(current + end for end in ("_bucket", "_count", "_sum")))
        key = f"{name}{{{labels}}}" if labels else name
        assert key not in values
        values[key] = float(value)
    return values

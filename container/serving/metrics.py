"""Counts that outlive the process which counts, and their text for Prometheus.

Each process that counts has a small file of float64 numbers mapped into memory; whoever is asked for `/metrics` adds the files up and asks
nobody. A process that starts goes on in the file of one that died, so sums never fall, and there are no more files than processes at once.
All of it lies in one directory:

    template      the text of Prometheus without values. A line that is no comment is a sample; the nth of them has the nth number of each
                  file. One that begins with "~" is a moment (seconds since 1970): what is printed is how long ago it was, or nothing if
                  it was never set. To one that begins with "+", what was printed for the sample before is added: so an observation adds
                  1 to one bucket of a histogram, though the larger ones hold it, too.
    counts.<n>    the numbers, in the machine's byte order; locked (flock) by the process that counts there

So a program that prints them, `serving/java/src/serving/Metrics.java` among them, need not know what they mean.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Self

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
TEMPLATE = "template"
_MOMENT = "~"
_CUMULATIVE = "+"
_DOUBLE = 8


@dataclass(frozen=True)
class Series:
    """What is counted under one name. ``kind``: counter, gauge, histogram, or moment (shown as a gauge, the seconds since). ``labels``: the
    inside of the braces of each sample, "" for none; ``bounds``: of a histogram, ascending, without the infinite one."""

    name: str
    kind: str
    help: str
    labels: Sequence[str] = ("",)
    bounds: Sequence[float] = ()

    def samples(self) -> Iterator[str]:
        """Yields the samples as the template has them. Those of a histogram are its buckets in order, the count and the sum."""
        for labels in self.labels:
            if self.kind != "histogram":
                yield (_MOMENT if self.kind == "moment" else "") + sample(self.name, labels)
                continue
            for bound in (*(f"{bound:g}" for bound in self.bounds), "+Inf"):
                mark = "" if bound == f"{self.bounds[0]:g}" else _CUMULATIVE
                yield mark + sample(f"{self.name}_bucket", ",".join(filter(None, (labels, f'le="{bound}"'))))
            yield _CUMULATIVE + sample(f"{self.name}_count", labels)
            yield sample(f"{self.name}_sum", labels)


def sample(name: str, labels: str) -> str:
    """Returns a sample's name as Prometheus writes it."""
    return f"{name}{{{labels}}}" if labels else name


def label(name: str, value: str) -> str:
    """Returns one label, its value escaped."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}="{escaped}"'


def write_template(directory: Path, series: Sequence[Series]) -> None:
    """Makes ``directory`` ready to be counted in."""
    lines: list[str] = []
    for one in series:
        kind = "gauge" if one.kind == "moment" else one.kind
        lines += [f"# HELP {one.name} {one.help}", f"# TYPE {one.name} {kind}", *one.samples()]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / TEMPLATE).write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Template:
    """``names``: the samples, without marks; ``gauges``: which of them are no counts, but what is so now."""

    lines: Sequence[str]
    names: Sequence[str]
    gauges: frozenset[str]

    @classmethod
    def read(cls, directory: Path) -> Self:
        lines = (directory / TEMPLATE).read_text(encoding="utf-8").splitlines()
        names, gauges, is_gauge = [], set(), False
        for line in lines:
            if line.startswith("# TYPE"):
                is_gauge = line.endswith(" gauge")
            elif not line.startswith("#"):
                names.append(line.lstrip(_MOMENT + _CUMULATIVE))
                gauges |= {names[-1]} if is_gauge else set()
        return cls(lines, names, frozenset(gauges))


class Counters:
    """The numbers of this process. Not to be used by a fork of it: that claims its own."""

    def __init__(self, file: int, template: Template) -> None:
        self._file = file  # a descriptor, which holds the lock
        self._places = {name: place for place, name in enumerate(template.names)}
        size = len(self._places) * _DOUBLE
        if os.fstat(file).st_size < size:
            os.ftruncate(file, size)
        self._map = mmap.mmap(file, size)  # has a descriptor of its own, which holds the lock, too
        self.numbers = memoryview(self._map).cast("d")
        for name in template.gauges:  # what the dead one had in hand, it has no longer
            self.numbers[self._places[name]] = 0.0

    @classmethod
    def claim(cls, directory: Path) -> Self:
        """Takes the first file in which nobody counts. The lock ends with the process."""
        template = Template.read(directory)
        for number in count():
            file = os.open(directory / f"counts.{number}", os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(file)
            else:
                return cls(file, template)
        raise AssertionError

    def close(self) -> None:
        """Lets another process count here."""
        self.numbers.release()
        self._map.close()
        os.close(self._file)

    def place(self, name: str, labels: str = "") -> int:
        """Returns where in ``numbers`` a sample is. Raises ``KeyError`` where the template has none."""
        return self._places[sample(name, labels)]

    def add(self, place: int, amount: float = 1.0) -> None:
        self.numbers[place] += amount

    def set(self, name: str, value: float, labels: str = "") -> None:
        self.numbers[self.place(name, labels)] = value

    def histogram(self, one: Series, labels: str = "") -> Callable[[float], None]:
        """Returns what observes a value."""
        numbers, bounds = self.numbers, one.bounds
        first = self.place(f"{one.name}_bucket", ",".join(filter(None, (labels, f'le="{bounds[0]:g}"'))))
        total = first + len(bounds) + 2  # behind the infinite bucket and the count

        def observe(value: float) -> None:
            numbers[first + bisect_left(bounds, value)] += 1.0
            numbers[total] += value

        return observe


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Keeps others out who ask for the same, until the end of the block."""
    with (directory / TEMPLATE).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def totals(directory: Path) -> dict[str, float]:
    """Returns the sum over all files of each sample's numbers: of a bucket, what lies in it and in none before."""
    return _totals(directory, Template.read(directory).names)


def _totals(directory: Path, names: Sequence[str]) -> dict[str, float]:
    sums = [0.0] * len(names)
    for path in directory.glob("counts.*"):
        content = path.read_bytes()
        if len(content) == len(names) * _DOUBLE:  # else it is being made
            sums = [total + number for total, number in zip(sums, memoryview(content).cast("d"), strict=True)]
    return dict(zip(names, sums, strict=True))


def render(directory: Path, now: float | None = None) -> str:
    """Returns the text for Prometheus, to be sent as ``CONTENT_TYPE``."""
    template, now = Template.read(directory), time.time() if now is None else now
    sums, lines, value = _totals(directory, template.names), [], 0.0
    for line in template.lines:
        if line.startswith("#"):
            lines.append(line)
        elif not line.startswith(_MOMENT):
            name = line.removeprefix(_CUMULATIVE)
            value = sums[name] + (value if line.startswith(_CUMULATIVE) else 0.0)
            lines.append(f"{name} {_text(value)}")
        elif (moment := sums[line.removeprefix(_MOMENT)]) > 0:
            lines.append(f"{line.removeprefix(_MOMENT)} {_text(round(max(now - moment, 0.0), 3))}")
    return "\n".join(lines) + "\n"


def _text(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)

"""What a job says while it runs: one ``event key=value`` line per stage, and a bar where a person waits at a terminal."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

_logger = logging.getLogger("training")
_PLAIN = re.compile(r"[!#-<>-~]+")  # printable ASCII without space, quote and equals sign


class _StdoutHandler(logging.Handler):
    """Prints to whatever stdout is now, and at once: a log that waits in a buffer is lost with the process."""

    def emit(self, record: logging.LogRecord) -> None:
        print(record.getMessage(), flush=True)


def set_up_logging() -> None:
    """Sends the project's log to stdout, one plain line per event. SageMaker reads stdout and stderr, and adds the time itself."""
    _logger.handlers = [_StdoutHandler()]
    _logger.setLevel(logging.INFO)


def log(event: str, **facts: object) -> None:
    """Logs ``event=… key=value …`` on one line. Values with spaces are quoted, floats have four digits, non-ASCII is escaped."""
    _logger.info(" ".join(f"{name}={_value(value)}" for name, value in {"event": event, **facts}.items()))


def log_text(text: str) -> None:
    """Logs lines that have a format of their own: tables, metric lines, traces."""
    for line in text.splitlines():
        _logger.info(line)


@contextmanager
def stage(name: str, **facts: object) -> Iterator[dict[str, object]]:
    """Logs one line when the block ends: its name, seconds, facts. The block may add facts to the dict that it gets."""
    added: dict[str, object] = dict(facts)
    begin = time.perf_counter()
    try:
        yield added
    except BaseException as error:
        log("stage_failed", name=name, seconds=time.perf_counter() - begin, error=type(error).__name__, **added)
        raise
    log("stage", name=name, seconds=time.perf_counter() - begin, **added)


def track(items: Iterable[Item], total: int | None = None, description: str = "") -> Iterable[Item]:
    """Returns ``items`` behind a progress bar if stderr is a terminal, and as they are if not: a log has no use for bars."""
    if not sys.stderr.isatty():
        return items
    from tqdm import tqdm

    bar: Iterable[Item] = tqdm(items, total=total, desc=description, file=sys.stderr, leave=False, dynamic_ncols=True)
    return bar


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e-3 else f"{value:.4f}".rstrip("0").rstrip(".")
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)

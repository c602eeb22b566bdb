"""Counts each answer, and writes its line into the log, as `serving/java/src/serving/Journal.java` does: JSON, or text at a terminal."""

from __future__ import annotations

import json
import logging
import os
import time
from typing import TYPE_CHECKING

from container.serving.account import FrontCounts

if TYPE_CHECKING:
    from container.serving.asgi.exchange import Exchange

SILENT = ("ping", "metrics")  # routes that leave no line


class Journal:
    """``level``: of Python's logging, from which on lines are wanted."""

    def __init__(self, counts: FrontCounts, level: int, as_json: bool) -> None:
        self.counts = counts
        self._level = level
        self._as_json = as_json

    def answered(self, exchange: Exchange, status: int, bytes_out: int) -> None:
        """To be called once for each request. Pings and scrapes are counted only; what was lost is told at every level."""
        self.counts.answered(exchange.route, status)
        level = logging.ERROR if exchange.lost is not None else logging.INFO
        if exchange.route in SILENT or level < min(self._level, logging.ERROR):
            return
        fields = _fields(exchange, status, bytes_out)
        now = time.time()
        name = logging.getLevelName(level)
        if self._as_json:
            moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}Z"
            line = f'{{"time":"{moment}","level":"{name}",{fields}}}\n'
        else:
            moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime(now))}.{int(now % 1 * 1000):03d}"
            line = f"{moment} {name} request{_text(fields)}\n"
        os.write(2, line.encode("ascii"))  # in one piece, so that the lines of several processes do not mix


def _fields(exchange: Exchange, status: int, bytes_out: int) -> str:
    """Returns the inside of the braces of a JSON object: what is known of any request, of one that was worked on, and of who asked."""
    milliseconds = 1000 * exchange.seconds()
    out = f'"id":"{exchange.id}","route":"{exchange.route}","status":{status},"ms":{milliseconds:.3f}'
    if exchange.waited is not None:
        out += f',"queue_ms":{1000 * exchange.waited:.3f}'
    if exchange.account is not None:
        out += f",{exchange.account.json_fields()}"
    elif exchange.error is not None:
        out += f',"error":"{exchange.error}"'
    if exchange.lost is not None:
        out += f',"lost":{json.dumps(exchange.lost)}'
    if exchange.bytes_in is not None:
        out += f',"bytes_in":{exchange.bytes_in}'
    out += f',"bytes_out":{bytes_out}'
    if exchange.model_version is not None:
        out += f',"model_version":{json.dumps(exchange.model_version)}'
    return out + "".join(f',"{name}":{json.dumps(value)}' for name, value in exchange.caller.logged().items())


def _text(fields: str) -> str:
    """Returns the same as " key=value" each. A value that could be taken for two stays in quotes."""
    out = ""
    for name, value in json.loads(f"{{{fields}}}").items():
        written = json.dumps(value)
        plain = isinstance(value, str) and " " not in written and "\\" not in written
        out += f" {name}={value if plain else written}"
    return out

"""Counts each answer, and writes its line into the log, as `serving/java/src/serving/Journal.java` does: JSON, or text at a terminal."""

from __future__ import annotations

import json
import logging
import os
import time
from json.encoder import encode_basestring_ascii as quoted
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
        self._second, self._written = 0, ""  # the second of the last line, and its text

    def answered(self, exchange: Exchange, status: int, bytes_out: int) -> None:
        """To be called once for each request. Pings and scrapes are counted only; what was lost is told at every level."""
        self.counts.answered(exchange.route, status)
        level = logging.ERROR if exchange.lost is not None else logging.INFO
        if exchange.route in SILENT or level < min(self._level, logging.ERROR):
            return
        fields = _fields(exchange, status, bytes_out)
        name = "INFO" if level == logging.INFO else "ERROR"
        if self._as_json:
            line = f'{{"time":"{self._moment()}Z","level":"{name}",{fields}}}\n'
        else:
            line = f"{self._moment()} {name} request{_text(fields)}\n"
        os.write(2, line.encode("ascii"))  # in one piece, so that the lines of several processes do not mix

    def _moment(self) -> str:
        """Returns the time: of the world for programs, of the place for people."""
        now = time.time_ns() // 1_000_000
        second, millisecond = divmod(now, 1000)
        if second != self._second:
            broken_down = time.gmtime(second) if self._as_json else time.localtime(second)
            self._second, self._written = second, time.strftime("%Y-%m-%dT%H:%M:%S", broken_down)
        return f"{self._written}.{millisecond:03d}"


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
        out += f',"lost":{quoted(exchange.lost)}'
    if exchange.bytes_in is not None:
        out += f',"bytes_in":{exchange.bytes_in}'
    out += f',"bytes_out":{bytes_out}'
    if exchange.model_version is not None:
        out += f',"model_version":{quoted(exchange.model_version)}'
    return out + exchange.caller.json_fields()


def _text(fields: str) -> str:
    """Returns the same as " key=value" each. A value that could be taken for two stays in quotes."""
    out = ""
    for name, value in json.loads(f"{{{fields}}}").items():
        written = json.dumps(value)
        plain = isinstance(value, str) and " " not in written and "\\" not in written
        out += f" {name}={value if plain else written}"
    return out

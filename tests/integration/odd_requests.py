"""Seeded requests of every sort for a model of `make_model`: good ones, of which the answer is known, odd ones and broken ones."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from tests.integration.serving import JSON

SONGS = 40
ODD_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 1e308, 10**30, 10**1100, 2**53 + 1, 2**64, float("nan"), -float("inf")),
    *("", " ", "a" * 1000, "a" * 1001, "\x00", "\ud800", "\udfff\ud800", "é☃𝄞", "u\r\n", "\ufeff", "NaN", "../../etc/passwd"),
    *([], {}, [None], [{}], [[[[1]]]], {"a": 1}, ["s1", "s1"], ["x"] * 10_001),
]
FIELDS = ["user_id", "events", "items", "exclude", "candidates", "num_recommendations", "exclude_seen", "explain", "metadata"]
MORE_FIELDS = ["userId", "itemId", "numResults", "inputList", "context", "", "\x00", "\ud800", "user", "a" * 5000]
EVENT_FIELDS = ["item_id", "event_type", "event_value", "timestamp", "nope"]
BODIES = [
    *(
        b"",
        b" ",
        b"\x00",
        b"null",
        b"0",
        b'""',
        b"{}",
        b"[]",
        b"{",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b'{"user_id": "\xed\xa0\x80"}',
    ),
    *(b'{"user_id": NaN}', b'{"user_id": 1e999}', b'{"user_id": "u0", "user_id": 3, "user_id": []}', b'{"user_id": ' + b"9" * 5000 + b"}"),
    *(b'{"user_id": "u0", "num_recommendations": ' + b"9" * n + b"}" for n in (400, 4300, 4301, 100_000)),
    *(bracket * n for bracket in (b"[", b'{"a":', b'[{"user_id":') for n in (500, 990, 1000, 200_000)),
    *(b"a" * 5_000_000, b" " * 5_000_000, b'{"user_id": "' + b"a" * 5_000_000 + b'"}'),
    *(b'u0,"s1', b'u0,"a"b', b"user_id,items\nu0,s1,s2,s3\n", b"\r\n\r\n", b"\x00,\x00\n", b"|||,|||\n"),
]
TYPES = [
    *("application/json", "application/json; charset=utf-8", "application/jsonlines", "text/csv", "text/json", "", ";;;", "a" * 3000),
    *("application/xml", "application/json; charset=utf-16", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "é"),
]
ACCEPTS = [
    *("*/*", "application/json", "text/csv", "application/jsonlines", "text/html", "text/*;q=0.1, text/csv;q=0", "*/*;q=0", "q=,;,"),
    *("application/json;q=nan", "application/json;q=1e999", "x/y, " * 1000 + "*/*", "application/json;" + "x=y;" * 500, "é", "x" * 4000),
]


@dataclass(frozen=True)
class Sent:
    """A request, and the first recommended song where it has to be answered."""

    body: bytes
    headers: dict[str, str]
    first_song: str | None = None


def any_request(rng: random.Random) -> Sent:
    """Returns a good request every third time, else one that is odd in its values, its bytes, its headers, or all of them."""
    song = rng.randrange(SONGS - 5)  # the last few lead to the first ones as well
    if rng.random() < 1 / 3:
        more = {"explain": rng.random() < 0.5, "num_recommendations": rng.choice([1, 3, 40])}
        ask = rng.choice([{"user_id": f"u{song}"}, {"items": [f"s{song}"]}, {"events": [{"item_id": f"s{song}"}]}])
        return Sent(json.dumps(ask | more).encode(), JSON, f"s{song + 1}")
    body = rng.choice([_odd_values, _odd_values, _batch, _broken_bytes, lambda rng: rng.choice(BODIES)])(rng)
    headers = {"Content-Type": rng.choice(TYPES)} if rng.random() < 0.4 else dict(JSON)
    if rng.random() < 0.3:
        headers["Accept"] = rng.choice(ACCEPTS)
    # http.client writes headers in Latin-1, so that é arrives as a byte that is no UTF-8.
    return Sent(body, headers)


def _odd_values(rng: random.Random) -> bytes:
    request: dict[str, Any] = {"user_id": f"u{rng.randrange(SONGS)}"}
    for _ in range(rng.randrange(1, 4)):
        request[rng.choice(FIELDS if rng.random() < 0.8 else MORE_FIELDS)] = rng.choice(ODD_VALUES)
        if rng.random() < 0.3:
            request["events"] = [{"item_id": "s1", rng.choice(EVENT_FIELDS): rng.choice(ODD_VALUES)} for _ in range(3)]
    return json.dumps(request, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def _batch(rng: random.Random) -> bytes:
    parts = [_odd_values(rng) for _ in range(rng.randrange(0, 20))]
    return b"\n".join(parts) if rng.random() < 0.5 else b"[" + b",".join(parts) + b"]"


def _broken_bytes(rng: random.Random) -> bytes:
    body = bytearray(_odd_values(rng))
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(body))
        body[place : place + rng.randrange(3)] = rng.choice([b"", b"\xff", b"\xc3", b"\x00", b'"', b"{", b"}", b"\\ud800"])
    return bytes(body)

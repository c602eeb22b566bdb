"""Seeded bodies and headers for a model: good requests, near misses, and what nobody would send on purpose."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from inference.request import EVENT_FIELDS, REQUEST_FIELDS

PERSONALIZE_FIELDS = ("userId", "itemId", "numResults", "inputList", "itemList")
JSON = b"application/json"
JSON_LINES = b"application/jsonlines"
CSV = b"text/csv"
# Values of every type and size. A word of ours that a leak would show (a path, a traceback) is none of them.
SCALARS: list[Any] = [
    *(None, True, False, 0, 1, -1, 5, 1.5, -0.0, 1e-320, 1e308, 10**30, 10**1100, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63)),
    *(
        "",
        " ",
        "a" * 1000,
        "a" * 1001,
        "\x00",
        "\ud800",
        "\udfff\ud800",
        "é☃𝄞",
        "u\r\n\tx",
        "\ufeff",
        "NaN",
        "1",
        "true",
        "../..",
        "%2e%2e",
    ),
    *("\u202e", "\u2028", "a,b", '"', "'", "\\", "\x7f", "\x1b[31m", "|", "=1+1", "🎵" * 300, "İ" * 50, "ß" * 90, "１２"),
]
CONTAINERS: list[Any] = [
    [],
    {},
    [None],
    [{}],
    [[]],
    [[[[1]]]],
    {"a": 1},
    {"": {}},
    {"\ud800": 1},
    [1, "a", None, 1.5, True],
    {"item_id": None},
]
NUMBERS = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-1e999",
    b"9" * 400,
    b"9" * 4300,
    b"9" * 5000,
    b"0" * 300,
    b"1E400",
    b"-0",
    b"1.",
    b"+1",
]
NUMBERS += [b"0x10", b"1e-999999", b"1" + b"0" * 1000 + b".5", b"01", b"2e3", b"5.0", b"1_000"]
TYPES = [
    *(JSON, JSON, JSON, JSON_LINES, JSON_LINES, CSV, CSV, b"application/json; charset=utf-8", b"text/json", b"application/x-ndjson"),
    *(b"", b";;;", b"a" * 3000, b"application/xml", b"application/json; charset=utf-16", b"multipart/form-data; boundary=b", b"\xe9\xff"),
    *(b"application/x-www-form-urlencoded", b"application/x-npy", b"text/csv; header=present", b'application/json; charset="', b"*/*"),
]
ACCEPTS = [
    *(b"*/*", JSON, CSV, JSON_LINES, b"text/html", b"text/*;q=0.1, text/csv;q=0", b"*/*;q=0", b"q=,;,", b"application/json;q=nan", b"\xe9"),
    *(b"application/json;q=1e999", b"x/y, " * 1000 + b"*/*", b"application/json;" + b"x=y;" * 500, b"x" * 4000, b"application/json;q=-1"),
]


@dataclass(frozen=True)
class Probe:
    """A request. ``good``: its number among those whose answer is known."""

    kind: str
    body: bytes
    content_type: bytes | None = JSON
    accept: bytes | None = None
    good: int | None = None


class Inputs:
    """Makes probes for a model that knows these listeners and songs. ``enormous``: the size of the largest bodies, in bytes."""

    def __init__(self, listeners: Sequence[str], songs: Sequence[str], seed: int, enormous: int = 2_000_000) -> None:
        self._listeners, self._songs, self._enormous = listeners, songs, enormous
        self._good = [self._good_body(random.Random(f"{seed} good {number}"), number) for number in range(100)]
        makers: list[tuple[int, Callable[[random.Random], Probe]]] = [
            *((20, self.good), (14, self._near), (8, self._wrong_types), (8, self._broken), (5, self._bytes), (5, self._numbers)),
            *(
                (4, self._deep),
                (4, self._twice),
                (8, self._lines),
                (5, self._list),
                (7, self._csv),
                (7, self._personalize),
                (5, self._headers),
            ),
        ]
        self._makers = [maker for weight, maker in makers for _ in range(weight)]

    def any(self, rng: random.Random) -> Probe:
        if rng.random() < 0.001:
            return self._huge(rng)
        return rng.choice(self._makers)(rng)

    def good(self, rng: random.Random) -> Probe:
        return self.good_one(rng.randrange(len(self._good)))

    def good_one(self, number: int) -> Probe:
        body, content_type = self._good[number]
        return Probe("good", body, content_type, good=number)

    def __len__(self) -> int:
        """How many good ones there are."""
        return len(self._good)

    # --- good ones -----------------------------------------------------------------------------------------------------------------

    def _good_body(self, rng: random.Random, number: int) -> tuple[bytes, bytes]:
        if number % 10 == 8:
            return b"\n".join(json.dumps(self._request(rng)).encode() for _ in range(40)), JSON_LINES
        if number % 10 == 9:
            return "".join(f"{rng.choice(self._listeners)}\n" for _ in range(5)).encode(), CSV
        return json.dumps(self._request(rng)).encode(), JSON

    def _request(self, rng: random.Random) -> dict[str, Any]:
        request: dict[str, Any] = {"num_recommendations": rng.choice([1, 3, 10, 50])}
        asked = rng.randrange(1, 8)
        if asked & 1:
            request["user_id"] = rng.choice(self._listeners)
        if asked & 2:
            request["events"] = [{"item_id": rng.choice(self._songs), "timestamp": 1.7e9 + i} for i in range(rng.randrange(1, 6))]
        if asked & 4:
            request["items"] = rng.choices(self._songs, k=rng.randrange(1, 4))
        for name, value in (("explain", True), ("metadata", True), ("diversity", 0.3), ("novelty", 0.2), ("exclude_seen", False)):
            if rng.random() < 0.15:
                request[name] = value
        return request

    # --- near misses ---------------------------------------------------------------------------------------------------------------

    def _near(self, rng: random.Random) -> Probe:
        """A request with some odd values, or fields that there are not."""
        request = self._request(rng)
        for _ in range(rng.randrange(1, 4)):
            name = rng.choice(REQUEST_FIELDS) if rng.random() < 0.85 else rng.choice(["user", "", "\x00", "\ud800", "a" * 5000, "Items"])
            request[name] = self._value(rng)
        if rng.random() < 0.3:
            request["events"] = [{"item_id": rng.choice(self._songs), rng.choice(EVENT_FIELDS): self._value(rng)} for _ in range(3)]
        return Probe("odd values", self._dump(rng, request))

    def _wrong_types(self, rng: random.Random) -> Probe:
        """Every field there is, with whatever value."""
        if rng.random() < 0.2:
            return Probe("wrong types", self._dump(rng, self._value(rng)))
        return Probe("wrong types", self._dump(rng, {name: self._value(rng) for name in rng.sample(REQUEST_FIELDS, rng.randrange(1, 12))}))

    def _value(self, rng: random.Random, depth: int = 0) -> Any:
        chance = rng.random()
        if chance < 0.5 or depth > 3:
            return rng.choice(SCALARS)
        if chance < 0.65:
            return rng.choice(CONTAINERS)
        if chance < 0.8:
            return [self._value(rng, depth + 1) for _ in range(rng.randrange(4))]
        if chance < 0.9:
            names = ["item_id", "filter", "factor", "items", "artist", "min", "max", "in", "accuracy", "diversity", "name", "a", "\udc00"]
            return {rng.choice(names): self._value(rng, depth + 1) for _ in range(rng.randrange(4))}
        return rng.choices([*self._songs, "nobody"], k=rng.choice([1, 5, 200]))

    def _dump(self, rng: random.Random, value: Any) -> bytes:
        text = json.dumps(value, ensure_ascii=rng.random() < 0.6, allow_nan=True)
        return text.encode("utf-8", "surrogatepass")

    def _numbers(self, rng: random.Random) -> Probe:
        name = rng.choice(["num_recommendations", "diversity", "user_id", "timestamp", "max_per_artist", "numResults"]).encode()
        number = rng.choice(NUMBERS)
        body = rng.choice([b'{"user_id": "u", "%s": %s}', b'{"items": ["s"], "events": [{"item_id": "s", "%s": %s}]}', b'[{"%s": %s}]'])
        return Probe("numbers", body % (name, number))

    def _deep(self, rng: random.Random) -> Probe:
        opening, closing = rng.choice(
            [(b"[", b"]"), (b'{"a":', b"}"), (b'{"filter":', b"}"), (b'[{"user_id":', b"}]"), (b'{"songs":[', b"]}")]
        )
        depth = rng.choice([20, 300, 990, 1000, 5000, 100_000])
        return Probe("deep", opening * depth + (b"1" + closing * depth if rng.random() < 0.6 else b""))

    def _twice(self, rng: random.Random) -> Probe:
        """Names that stand twice in one object: the last one counts, as everywhere in Python."""
        pairs = [b'"%s": %s' % (rng.choice(REQUEST_FIELDS).encode(), self._dump(rng, self._value(rng))) for _ in range(4)]
        return Probe("duplicate names", b"{" + b", ".join(rng.choices(pairs, k=8)) + b"}")

    def _broken(self, rng: random.Random) -> Probe:
        probe = rng.choice([self.good, self._near, self._lines, self._csv, self._personalize])(rng)
        body = bytearray(probe.body[: rng.choice([200, 2000, 20_000])])
        for _ in range(rng.randrange(1, 6)):
            place = rng.randrange(len(body) + 1)
            insert = rng.choice(
                [b"", b"\xff", b"\xc3", b"\x00", b'"', b"{", b"}", b"\\ud800", b"\n", b"\r", b",", b"\xef\xbb\xbf", rng.randbytes(3)]
            )
            body[place : place + rng.randrange(4)] = insert
        return Probe("broken bytes", bytes(body), probe.content_type)

    def _bytes(self, rng: random.Random) -> Probe:
        return Probe("any bytes", rng.randbytes(rng.choice([0, 1, 2, 10, 100, 3000])), rng.choice([JSON, JSON_LINES, CSV]))

    # --- several at once -----------------------------------------------------------------------------------------------------------

    def _lines(self, rng: random.Random) -> Probe:
        parts = [
            rng.choice([self._near, self._broken_line, self._wrong_types, self._personalize])(rng).body for _ in range(rng.randrange(20))
        ]
        return Probe("JSON lines", rng.choice([b"\n", b"\r\n", b"\n\n"]).join(parts), rng.choice([JSON_LINES, JSON_LINES, JSON]))

    def _broken_line(self, rng: random.Random) -> Probe:
        return Probe("", rng.choice([b"", b" ", b"{", b"\xff", b"null", b"[]", b"\x00", b'{"user_id": "u"', b"\xef\xbb\xbf{}"]))

    def _list(self, rng: random.Random) -> Probe:
        parts = [rng.choice([self._near, self._wrong_types, self._personalize])(rng).body for _ in range(rng.randrange(20))]
        return Probe("JSON list", b"[" + b",".join(parts) + b"]")

    def _csv(self, rng: random.Random) -> Probe:
        cells = [
            *self._listeners[:5],
            *self._songs[:20],
            "",
            "nobody",
            "a|b",
            "||",
            '"',
            '""',
            '"a,b"',
            '"a\nb"',
            "\x00",
            "é",
            "9" * 20,
            " ",
            "#x",
        ]
        head = rng.choice(
            ["", "", "user_id,items\n", "user_id,candidates,num_recommendations\n", "items\n", "user_id,nope\n", "user_id,user_id\n"]
        )
        rows = [",".join(rng.choices(cells, k=rng.randrange(1, 6))) for _ in range(rng.randrange(12))]
        return Probe("CSV", (head + rng.choice(["\n", "\r\n", "\r"]).join(rows)).encode("utf-8", "surrogatepass"), CSV)

    def _personalize(self, rng: random.Random) -> Probe:
        request: dict[str, Any] = {"userId": rng.choice(self._listeners)}
        for name in rng.sample([*PERSONALIZE_FIELDS, "filterArn"], rng.randrange(1, 4)):
            request[name] = self._value(rng) if rng.random() < 0.6 else rng.choices(self._songs, k=3)
        return Probe("Personalize", self._dump(rng, request), rng.choice([JSON, JSON_LINES]))

    def _headers(self, rng: random.Random) -> Probe:
        probe = rng.choice([self.good, self._near, self._csv])(rng)
        return Probe("headers", probe.body, rng.choice([None, *TYPES]), rng.choice([None, *ACCEPTS]))

    def _huge(self, rng: random.Random) -> Probe:
        size = self._enormous
        song = json.dumps(rng.choice(self._songs)).encode()
        bodies = [
            *(b"a" * size, b" " * size, b'{"user_id": "' + b"a" * size + b'"}', b"[" * size, b"\n" * size),
            *(b'{"user_id": "u", "items": [' + b",".join([song] * 10_001) + b"]}", b"[" + b"{}," * (size // 3) + b"{}]"),
            *(b'{"items": [' + b",".join([song] * 10_000) + b"]}", b'{"user_id":"u"}\n' * 10_001, b'"' + b"\\u0000" * (size // 6) + b'"'),
        ]
        return Probe("enormous", rng.choice(bodies), rng.choice([JSON, JSON_LINES, CSV]))

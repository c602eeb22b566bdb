"""Seeded bytes for a server's socket: half requests, wrong framing, smuggled requests, absurd headers, odd paths and methods."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from scripts.http_wire import post

METHODS = [
    b"GET",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"TRACE",
    b"CONNECT",
    b"PROPFIND",
    b"get",
    b"POST\x00",
    b"G" * 300,
    b"",
]
PATHS = [
    *(b"/", b"/ping", b"/ping/", b"//ping", b"/metrics", b"/invocations", b"/invocations/", b"/execution-parameters", b"/nope", b"*", b""),
    *(
        b"/models",
        b"/models/model",
        b"/models/model/invoke",
        b"/models?url=http://127.0.0.1:1/x&handler=os:system",
        b"/models?limit=%zz",
        b"/%",
    ),
    *(
        b"/../../etc/passwd",
        b"/models/../../etc",
        b"/models/%2e%2e%2f%2e%2e/invoke",
        b"/%2e%2e/%00",
        b"/models/..%5c..",
        b"/ping%00",
        b"/%70ing",
    ),
    *(
        b"/models/%zz/invoke",
        b"/predictions/model",
        b"/api-description",
        b"http://evil/invocations",
        b"/ping?" + b"a=b&" * 900,
        b"/ping#x",
        b"/\xff",
    ),
    *(
        b"/models?limit=99999999999999999999",
        b"/models?next_page_token=%e9",
        b"/models/" + b"a" * 3000,
        b"/ping;x=y",
        b"/p\xc3\xafng",
        b"/?%c0%ae",
    ),
]
HEADERS = [
    *(
        b"X: " + b"a" * 20_000,
        b"X: a" * 1500,
        b"\r\n".join(b"X%d: a" % i for i in range(900)),
        b" folded: x",
        b"X\x00: y",
        b"X: \x01\x02",
        b": x",
    ),
    *(
        b"Content-Length: -5",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 99999999999999999999",
        b"Content-Length: 0x10",
        b"Content-Length: 1,1",
    ),
    *(
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding:\x0bchunked",
    ),
    *(
        b"Expect: 100-continue",
        b"Expect: nonsense",
        b"Upgrade: h2c\r\nConnection: Upgrade",
        b"Connection: close, keep-alive",
        b"Host: a\r\nHost: b",
    ),
    *(
        b"X-Amzn-SageMaker-Inference-Id: " + b"a" * 2000,
        b"X-Amzn-SageMaker-Custom-Attributes: " + b"a" * 1024,
        b"X-Amzn-SageMaker-Target-Model: ../../etc",
    ),
    *(
        b"X-Amzn-SageMaker-Custom-Attributes: \xff\xfe",
        b"serving-model: 1",
        b"serving-account: x",
        b"Content-Encoding: gzip",
        b"Range: bytes=0-0",
    ),
]
CHUNKS = [
    *(
        b"zz\r\n\r\n",
        b"5\r\naaaaa\r\n0\r\n\r\n",
        b"5;x=y\r\naaaaa\r\n0\r\n\r\n",
        b"-5\r\naaaaa\r\n",
        b"5\naaaaa\n0\n\n",
        b"ffffffffffffffff1\r\na",
        b"5\r\naaaaaa\r\n",
    ),
    *(
        b"5;" + b"a" * 9000 + b"\r\naaaaa\r\n",
        b"0\r\nX: y\r\n\r\n",
        b"0\r\n" + b"X: y\r\n" * 3000 + b"\r\n",
        b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"5\r\naa",
    ),
]
GARBAGE = [
    *(
        b"GARBAGE\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"\x00" * 100,
        b"\r\n" * 100,
        b"\n",
        b" ",
    ),
    *(
        b"GET /ping HTTP/9.9\r\n\r\n",
        b"GET /ping\r\n\r\n",
        b"GET /ping HTTP/1.1 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n",
    ),
]
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(frozen=True)
class Throw:
    """Bytes for a connection of their own. ``most_answers``: more is a broken promise; ``bodiless``: the answer has no body, whatever
    it says; ``half_close``: the sender then says that nothing more will come."""

    kind: str
    pieces: list[bytes] = field(repr=False)
    half_close: bool = False
    most_answers: int = 1
    bodiless: bool = False


class Wires:
    """Makes throws around a good ``body`` of a request. ``large``: bytes of the largest body."""

    def __init__(self, body: bytes, large: int = 25_000_000) -> None:
        self._body = body
        self._large = large
        self._makers: list[Callable[[random.Random], Throw]] = [
            *[self._method_and_path] * 8,
            *[self._header] * 5,
            *[self._chunks] * 3,
            *[self._garbage] * 3,
            *[self._half] * 3,
            *[self._smuggle] * 3,
            *[self._pipeline] * 2,
            self._drip,
        ]

    def any(self, rng: random.Random) -> Throw:
        thrown = self._flood(rng) if rng.random() < 0.003 else rng.choice(self._makers)(rng)
        return replace(thrown, half_close=rng.random() < 0.3)

    def _method_and_path(self, rng: random.Random) -> Throw:
        method = rng.choice([*METHODS, b"POST", b"GET"])
        body = rng.choice([b"", b"", b"{}", self._body])
        length = b"Content-Length: %d\r\n" % len(body) if body or rng.random() < 0.5 else b""
        data = b"%s %s HTTP/1.%d\r\n%s\r\n%s" % (method, rng.choice(PATHS), rng.choice([1, 1, 1, 0]), length, body)
        return Throw("methods and paths", [data], bodiless=method == b"HEAD", most_answers=1 + (not length and len(body) > 0))

    def _header(self, rng: random.Random) -> Throw:
        lines = b"".join(header + b"\r\n" for header in rng.sample(HEADERS, rng.choice([1, 1, 2])))
        whole = post("/invocations", self._body, lines)
        return Throw("absurd headers", [whole], most_answers=2)  # 100 Continue is not counted; the body may be read as garbage

    def _chunks(self, rng: random.Random) -> Throw:
        head = b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        return Throw("chunks", [head, rng.choice(CHUNKS)])

    def _garbage(self, rng: random.Random) -> Throw:
        return Throw("garbage", [rng.choice([*GARBAGE, rng.randbytes(200), rng.randbytes(20) + b"\r\n\r\n"])], most_answers=2)

    def _half(self, rng: random.Random) -> Throw:
        """A part of a request, from somebody who hangs up, or half of it."""
        whole = post("/invocations", self._body)
        return Throw("half a request", [whole[: rng.randrange(1, len(whole))]])

    def _smuggle(self, rng: random.Random) -> Throw:
        """Two lengths of one body: by one of them, another request is in it."""
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(self._body), self._body)
        lengths, most = rng.choice(
            [
                (b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % (len(chunked) + len(SMUGGLED)), 1),
                (b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", 1),
                (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 1),
                (b"Transfer-Encoding : chunked\r\nContent-Length: %d\r\n" % (len(chunked) + len(SMUGGLED)), 1),
                (b"Transfer-Encoding: \tchunked\r\n", 2),  # is right, and so is what follows
                (b"Transfer-Encoding: chunked\r\n", 2),
            ]
        )
        return Throw(
            "smuggling", [b"POST /invocations HTTP/1.1\r\nHost: x\r\n" + lengths + b"\r\n" + chunked + SMUGGLED], most_answers=most
        )

    def _pipeline(self, rng: random.Random) -> Throw:
        count = rng.randrange(2, 20)
        parts = [
            rng.choice([post("/invocations", self._body), b"GET /ping HTTP/1.1\r\n\r\n", b"GET /no HTTP/1.1\r\n\r\n"]) for _ in range(count)
        ]
        return Throw("pipelined", parts, most_answers=count)

    def _drip(self, rng: random.Random) -> Throw:
        """A good request in small pieces, the last one missing or not."""
        whole = post("/invocations", self._body)
        pieces = [whole[i : i + 7] for i in range(0, len(whole), 7)]
        return Throw("in small pieces", pieces[: rng.choice([len(pieces), len(pieces) - 1])])

    def _flood(self, rng: random.Random) -> Throw:
        size = self._large
        body = rng.choice([b" " * size, b"\x00" * size])
        if rng.random() < 0.5:
            return Throw("large bodies", [post("/invocations", body)])
        piece = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
        head = b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        return Throw("large bodies", [head, *[piece] * (size >> 20), b"0\r\n\r\n"])

"""Media types of requests and answers: `Content-Type` and `Accept`, with parameters and q-values (RFC 9110)."""

from __future__ import annotations

from inference.errors import RequestError

JSON = "application/json"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"
SUPPORTED = (JSON, JSON_LINES, CSV)
_ALIASES = {"application/x-jsonlines": JSON_LINES, "application/jsonl": JSON_LINES, "application/x-ndjson": JSON_LINES, "text/json": JSON}
_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")


def content_type(header: str | None) -> str:
    """Returns which of ``SUPPORTED`` a ``Content-Type`` names; JSON where it is missing. Raises ``RequestError`` 415."""
    if not header or not header.strip():
        return JSON
    essence, parameters = _parse(header)
    if essence not in SUPPORTED:
        raise RequestError(415, "unsupported_content_type", f"Content-Type '{essence[:80]}' is not supported. Send {', '.join(SUPPORTED)}.")
    charset = parameters.get("charset", "utf-8").lower()
    if charset not in _CHARSETS:
        raise RequestError(415, "unsupported_charset", f"charset '{charset[:40]}' is not supported. Send UTF-8.")
    return essence


def acceptable(header: str | None, default: str) -> str:
    """Returns the media type to answer in: that of the highest q in ``Accept``, the one named most exactly among equals, then ``default``.

    The q of a type is that of the most exact range that it matches, so ``text/*;q=0, */*`` refuses CSV. Raises ``RequestError`` 406.
    """
    if not header or not header.strip():
        return default
    ranges = _ranges(header)

    def wish(offered: str) -> tuple[float, int]:
        exactness, q = max(((_exactness(media), q) for media, q in ranges if _matches(media, offered)), default=(0, 0.0))
        return q, exactness

    best = max((default, *SUPPORTED), key=wish)
    if wish(best)[0] <= 0:
        raise RequestError(406, "not_acceptable", f"None of the types in Accept can be given. Offered: {', '.join(SUPPORTED)}.")
    return best


def _ranges(header: str) -> list[tuple[str, float]]:
    out = []
    for part in header.split(","):
        media, parameters = _parse(part)
        try:
            q = float(parameters.get("q", "1"))
        except ValueError:
            q = 0.0
        out.append((media, q if 0.0 <= q <= 1.0 else 0.0))
    return out


def _matches(pattern: str, media: str) -> bool:
    return pattern in ("*/*", "*", media) or (pattern.endswith("/*") and media.startswith(pattern[:-1]))


def _exactness(pattern: str) -> int:
    return 1 if pattern in ("*/*", "*") else 2 if pattern.endswith("/*") else 3


def _parse(header: str) -> tuple[str, dict[str, str]]:
    essence, *rest = header.split(";")
    essence = essence.strip().lower()
    pairs = (parameter.partition("=") for parameter in rest)
    return _ALIASES.get(essence, essence), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}

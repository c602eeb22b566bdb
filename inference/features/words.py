"""The words of a text: tokens, and how often each hashed term is there. Training and serving cut and count with this very code."""

from __future__ import annotations

import functools
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

TERM_SPACE = 2**18
"""Terms are numbers below this: a hash of the token. Two rare words may share one, which costs less than a vocabulary of all words."""

MAX_TOKEN_CHARACTERS = 40
MAX_COUNT = np.iinfo(np.uint16).max
# Chinese, Japanese and Thai are written without spaces: their tokens are pairs of neighbouring characters. Marks that \w leaves out
# (Mn, Mc) belong to the words of Indic scripts, Arabic, Hebrew and Thai.
_UNSPACED = "\u0e00-\u0e7f\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0980-\u0983\u09bc-\u09cd\u0a01-\u0dff"
_ASCII_SPACED = bytes(code if chr(code).isalnum() and code < 128 else ord(" ") for code in range(256))
_TOKEN = re.compile(rf"[{_UNSPACED}]+|(?:[^\W_{_UNSPACED}]|[{_MARKS}]){{1,{MAX_TOKEN_CHARACTERS}}}")
_FIRST_UNSPACED = re.compile(f"[{_UNSPACED}]")


def tokens(text: str) -> list[str]:
    """The words of a text in its order, casefolded and in NFKC: runs of letters, marks and digits. A longer word than
    `MAX_TOKEN_CHARACTERS` is cut into several; scripts without spaces give pairs of neighbouring characters."""
    if text.isascii():
        found = text.lower().encode("ascii").translate(_ASCII_SPACED).decode("ascii").split()  # three times as fast as the expression
        return found if max(map(len, found), default=0) <= MAX_TOKEN_CHARACTERS else _TOKEN.findall(text.lower())
    found = _TOKEN.findall(unicodedata.normalize("NFKC", text.casefold()))
    if not _FIRST_UNSPACED.search(text):
        return found
    return [token for run in found for token in (_pairs(run) if _FIRST_UNSPACED.match(run) else (run,))]


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


@functools.lru_cache(maxsize=2**18)
def term(token: str) -> int:
    """The number of a token: the CRC-32 of its UTF-8 bytes, modulo `TERM_SPACE`."""
    return zlib.crc32(token.encode("utf-8", "surrogatepass")) % TERM_SPACE


def term_counts(text: str | Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The distinct terms of a text, or of its tokens, ascending (int32), and how often each is there (uint16, at most 65,535)."""
    counts: dict[int, int] = {}
    for token, count in Counter(tokens(text) if isinstance(text, str) else text).items():
        number = term(token)
        counts[number] = counts.get(number, 0) + count
    terms = np.fromiter(counts, dtype=np.int32, count=len(counts))
    times = np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
    order = terms.argsort()
    return terms[order], np.minimum(times[order], MAX_COUNT).astype(np.uint16)

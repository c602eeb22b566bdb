"""Many texts in one form at once. Most are plain ASCII with single spaces, which Arrow brings into any form; the others come one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from inference.features import values as one_value
from inference.features.values import as_written, normal
from training.data.values import TEXT, of_distinct

# White space that a form would change; the characters are those of str.split among ASCII.
ODD_SPACE = r"[\t-\r\x1c-\x1f]|^ | $|  "
Form = Callable[[str], str]
# What each form does to plain text.
OF_PLAIN: dict[Form, Callable[[pa.LargeStringArray], pa.LargeStringArray]] = {normal: pc.ascii_lower, as_written: lambda texts: texts}


def in_form(column: pa.ChunkedArray, form: Form) -> pa.ChunkedArray:
    """Each text in a form (``normal`` or ``as_written``), null where nothing is left."""

    def change(texts: pa.LargeStringArray) -> pa.LargeStringArray:
        return _except(OF_PLAIN[form](texts), texts, _is_odd(texts, ODD_SPACE), lambda text: form(text) or None)

    return of_distinct(column, change)


def names_of(column: pa.ChunkedArray, separators: str, form: Form, joint: str) -> pa.ChunkedArray:
    """The names in each text, each in a form (``normal`` or ``as_written``), joined; null where there is none."""
    one_of = "[" + "".join(rf"\x{{{ord(one):x}}}" for one in separators) + "]"
    odd = rf"{ODD_SPACE}|\["
    if separators:  # a name between them is empty, or has a space at its end
        odd += rf"|(?:^|{one_of}| ){one_of}|{one_of}(?:{one_of}| |$)"

    def names(text: str) -> str | None:
        return joint.join(one_value.names(text, separators, form)) or None

    def change(texts: pa.LargeStringArray) -> pa.LargeStringArray:
        is_odd, changed = _is_odd(texts, odd), OF_PLAIN[form](texts)
        if separators:
            parts = pc.split_pattern_regex(changed, one_of)
            is_odd |= _holds_twice(parts)
            changed = pc.binary_join(parts, pa.scalar(joint, TEXT))
        return _except(changed, texts, is_odd, names)

    return of_distinct(column, change)


def _is_odd(texts: pa.LargeStringArray, pattern: str) -> NDArray[np.bool_]:
    """Where a text is not plain: no ASCII, or with a match."""
    found = pc.or_(pc.match_substring_regex(texts, pattern), pc.invert(pc.string_is_ascii(texts)))
    return np.array(found.to_numpy(zero_copy_only=False), dtype=bool)


def _holds_twice(parts: pa.ListArray) -> NDArray[np.bool_]:
    """Where a list holds the same text twice."""
    owners = pc.list_parent_indices(parts).to_numpy()
    codes = parts.flatten().dictionary_encode().indices.to_numpy()
    pairs = np.sort(owners * (int(codes.max(initial=0)) + 1) + codes)
    twice = np.zeros(len(parts), dtype=bool)
    twice[pairs[1:][pairs[1:] == pairs[:-1]] // (int(codes.max(initial=0)) + 1)] = True
    return twice


def _except(
    changed: pa.LargeStringArray, texts: pa.LargeStringArray, odd: NDArray[np.bool_], of_odd: Callable[[str], str | None]
) -> pa.LargeStringArray:
    """The changed texts, but for the odd ones, which a function changes one by one."""
    mask = pa.array(odd)
    return pc.replace_with_mask(changed, mask, pa.array([of_odd(text) for text in texts.filter(mask).to_pylist()], TEXT))

"""Many texts in one form at once. Most are plain ASCII with single spaces, which Arrow brings into any form; the others come one by one."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

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
    return of_distinct(column, lambda texts: _mixed(texts, ODD_SPACE, OF_PLAIN[form], lambda text: form(text) or None))


def names_of(column: pa.ChunkedArray, separators: str, form: Form, joint: str) -> pa.ChunkedArray:
    """The names in each text, each in a form (``normal`` or ``as_written``), joined; null where there is none."""

    def names(text: str) -> str | None:
        return joint.join(one_value.names(text, separators, form)) or None

    several = ODD_SPACE + "|[\\[" + "".join(rf"\x{{{ord(one):x}}}" for one in separators) + "]"
    return of_distinct(column, lambda texts: _mixed(texts, several, OF_PLAIN[form], names))


def _mixed(
    texts: pa.LargeStringArray,
    odd: str,
    of_plain: Callable[[pa.LargeStringArray], pa.LargeStringArray],
    of_odd: Callable[[str], str | None],
) -> pa.LargeStringArray:
    """One function for ASCII texts without a match of the pattern, another for the rest."""
    is_odd = pc.or_(pc.match_substring_regex(texts, odd), pc.invert(pc.string_is_ascii(texts)))
    changed = [of_odd(text) for text in texts.filter(is_odd).to_pylist()]
    return pc.replace_with_mask(of_plain(texts), is_odd, pa.array(changed, TEXT))

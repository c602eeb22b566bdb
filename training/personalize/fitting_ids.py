"""Which ids Amazon Personalize can have: 1 to 256 characters (page limits) on one line (page data-prep-formatting)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.data.errors import UserDataError
from training.data.problems import shown
from training.personalize.limits import MAX_ID_CHARACTERS


def fitting(ids: pa.Array, field: str, what: str, drop: bool, rows_before: int = 0) -> NDArray[np.bool_]:
    """Which of the ids can be written. Raises ``UserDataError`` for the first that can't, unless ``drop``.

    ``what`` has the ids, and ``rows_before`` of them came before: "event 17", "song 3".
    """
    length = pc.fill_null(pc.utf8_length(ids), 0)
    broken = pc.fill_null(pc.match_substring_regex(ids, r"[\r\n]"), True)
    fits = pc.and_(pc.and_(pc.greater(length, 0), pc.less_equal(length, MAX_ID_CHARACTERS)), pc.invert(broken))
    mask = np.array(fits.to_numpy(zero_copy_only=False), dtype=bool)
    if not drop and not mask.all():
        place = int(np.argmin(mask))
        has = "a line break" if length[place].as_py() and broken[place].as_py() else f"{length[place].as_py()} characters"
        raise UserDataError(
            f"{what} {rows_before + place + 1:,}: its {field} {shown(ids[place].as_py())} has {has}; Amazon Personalize takes ids of "
            f"1 to {MAX_ID_CHARACTERS} characters on one line. Change the id, or leave such rows out (--drop-unfit-ids)"
        )
    return mask

"""Loads the compiled kernels, and tells their functions what they are given."""

from __future__ import annotations

import ctypes
import functools
import os

import numpy as np

from inference.native.build import path

SWITCH_ENV = "RECOMMENDER_NATIVE"  # "0": as if nothing were compiled
_ADDRESS, _COUNT = ctypes.c_void_p, ctypes.c_int64


class VocabularyStruct(ctypes.Structure):
    _fields_ = (("blob", _ADDRESS), ("offsets", _ADDRESS), ("hashes", _ADDRESS), ("order", _ADDRESS), ("n", _COUNT), ("bytes", _COUNT))


class RowsStruct(ctypes.Structure):
    _fields_ = (
        *(("starts", _ADDRESS), ("columns", _ADDRESS), ("values", _ADDRESS)),
        *(("rows", _COUNT), ("entries", _COUNT), ("n_columns", _COUNT)),
    )


class AddendStruct(ctypes.Structure):
    _fields_ = (("matrix", _ADDRESS), ("rows", _ADDRESS), ("weights", _ADDRESS), ("n_rows", _COUNT), ("weight", ctypes.c_double))


class AddendsStruct(ctypes.Structure):
    _fields_ = (("matrix", _ADDRESS), ("starts", _ADDRESS), ("rows", _ADDRESS), ("weights", _ADDRESS), ("weight", ctypes.c_double))


class PopularStruct(ctypes.Structure):
    _fields_ = (("popularity", _ADDRESS), ("order", _ADDRESS), ("songs", _COUNT), ("weight", ctypes.c_double))


class ScratchStruct(ctypes.Structure):
    _fields_ = (
        *(("place", _ADDRESS), ("shut", _ADDRESS), ("numbers", _ADDRESS), ("scores", _ADDRESS), ("part", _ADDRESS)),
        *(("room", _COUNT), ("songs", _COUNT), ("request", ctypes.c_uint64)),
    )


UNLIKE, BROKEN, NO_ROOM = -2, -3, -4
MOST_ADDENDS = 16


@functools.cache
def library() -> ctypes.CDLL | None:
    """Returns the compiled kernels, or None where there are none, or they are switched off."""
    if os.environ.get(SWITCH_ENV) == "0" or not path().is_file():
        return None
    try:
        found = ctypes.CDLL(str(path()))
    except OSError:
        return None
    found.prepare.argtypes, found.prepare.restype = (), None
    found.numbers_of.argtypes = (_ADDRESS, ctypes.c_char_p, _COUNT, _COUNT, _ADDRESS)
    found.block.argtypes = (_ADDRESS, _ADDRESS, _COUNT, _ADDRESS, _COUNT, _ADDRESS)
    found.rank.argtypes = (
        *(_ADDRESS, _COUNT, _ADDRESS, _ADDRESS, _ADDRESS, _COUNT, _ADDRESS, _COUNT, _COUNT),
        *(_ADDRESS, _ADDRESS, ctypes.POINTER(_COUNT)),
    )
    found.add_up.argtypes = (_ADDRESS, _ADDRESS, _COUNT, _ADDRESS, _ADDRESS, _ADDRESS)
    found.rank_each.argtypes = (
        *(_ADDRESS, _COUNT, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS, _COUNT, _COUNT),
        *(_ADDRESS, _ADDRESS, _ADDRESS),
    )
    for function in (found.numbers_of, found.add_up, found.block, found.rank, found.rank_each):
        function.restype = _COUNT
    found.prepare()
    return found


def is_plain(array: np.ndarray, dtype: type[np.generic]) -> bool:
    """Returns whether the kernels can read an array as it lies in memory."""
    return array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned and array.dtype.isnative


def address(array: np.ndarray) -> int:
    """Returns where an array's numbers are. The caller keeps the array."""
    found: int = array.__array_interface__["data"][0]
    return found


class BrokenModelError(ValueError):
    """An array of the model names a place that there is not."""


def checked(found: int) -> int:
    """Returns what a kernel has found. Raises ``BrokenModelError``."""
    if found == BROKEN:
        raise BrokenModelError("an array of the model names a row, a song or a byte that it does not have")
    return found

"""Pieces of work for the tests of engines. They live in a module of their own, because worker processes import them by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.errors import UserDataError


def square(number: int) -> int:
    return number * number


def slow_square(number: int) -> int:
    time.sleep(0.05)
    return number * number


def numbers(size: int) -> NDArray[np.int64]:
    return np.arange(size)


def pid_of(_: object = None) -> int:
    return os.getpid()


def refuse_seven(number: int) -> int:
    if number == 7:
        raise UserDataError("events.csv, row 7: no number")
    return number


def time_out(_: int) -> int:
    raise TimeoutError("the piece itself")


def die_once(item: tuple[Path, int]) -> int:
    """Kills its own process the first time that it is called for number 3, as the kernel does when memory runs out."""
    mark, number = item
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def die_always(_: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def touch(item: tuple[Path, int]) -> int:
    """Leaves a trace that the piece was done."""
    folder, number = item
    (folder / str(number)).touch()
    return number


def threads_of_blas(_: object = None) -> str:
    return os.environ["OMP_NUM_THREADS"]


def square_of(item: tuple[str, int]) -> int:
    return item[1] * item[1]

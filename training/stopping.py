"""How training learns that it is to end before it is done."""

from __future__ import annotations


class Stopped(BaseException):
    """Somebody asked for the end. Raised in the main thread, wherever it is. Not an ``Exception``, so that nobody takes it for an error
    to be handled; the pipeline makes a model of what is finished, and raises it again."""

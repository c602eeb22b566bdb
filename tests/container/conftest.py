"""What a test of the container's programs must leave as it was."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _sigterm_as_it_was() -> Iterator[None]:
    """A failed training ignores SIGTERM to its end; called in this process, it would leave that to all that is started after it."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)

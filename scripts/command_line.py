"""What every command shares: how a mistake is reported, and how `key=value` arguments are read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence


class CommandError(Exception):
    """Something that the person at the terminal can put right. The message says what was found and what to do."""


def run(main: Callable[[], int]) -> int:
    """Runs a command and returns its exit code. A mistake is one line on stderr, with exit code 2; an interrupt ends quietly."""
    try:
        return main()
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, for instance `head`, has seen enough
        sys.stderr.close()
        return 1


def size_text(size: int) -> str:
    """Returns a number of bytes for people: ``27 bytes``, ``1.3 MB``."""
    return f"{size / 1e6:,.1f} MB" if size >= 50_000 else f"{size:,} bytes"


def key_values(pairs: Sequence[str], option: str) -> dict[str, str]:
    """Returns ``["k=v", …]`` as a dictionary. Raises ``CommandError`` for one without ``=``, or a key given twice."""
    values: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise CommandError(f"{option} {pair}: write it as {option} key=value")
        if key in values:
            raise CommandError(f"{option} {key} is given twice")
        values[key] = value
    return values

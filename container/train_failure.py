"""Why a job failed: one sentence that says what to do first, for whoever looks at the job and never opens its log."""

from __future__ import annotations

import contextlib
import errno
import os
import traceback
from dataclasses import dataclass
from pathlib import Path

from container import exit_codes
from container.paths import SettingsError, failure_file
from training.data.errors import UserDataError
from training.hyperparameters import ConfigError

MAX_CHARACTERS = 1024  # of FailureReason


@dataclass(frozen=True)
class Failure:
    """What to do (a sentence), and whose it is: ``UserError`` or ``AlgorithmError``, with the exit code for it."""

    sentence: str
    kind: str
    exit_code: int

    def text(self) -> str:
        """Returns printable ASCII of at most 1024 characters: the sentence, then the kind."""
        kind = f" [{self.kind}]"
        escaped = " ".join(self.sentence.encode("ascii", "backslashreplace").decode("ascii").split())
        printable = "".join(c if " " <= c <= "~" else "?" for c in escaped)
        room = MAX_CHARACTERS - len(kind)
        if len(printable) > room:
            rest = " ... (the log has all of it)"
            printable = printable[: room - len(rest)] + rest
        return printable + kind


def explain(error: BaseException) -> Failure:
    """Returns what a person should do about ``error``."""
    if isinstance(error, ConfigError | UserDataError | SettingsError):
        return _user(str(error))
    if isinstance(error, MemoryError):
        return _user("Choose a machine with more memory, or train less at once (fewer models, smaller als_factors): memory ran out.")
    if isinstance(error, OSError) and (sentence := _disk(error)):
        return _user(sentence)
    return Failure(
        f"Report this fault of the program, with the trace in the job's log: {type(error).__name__}: {error} ({_place(error)})",
        "AlgorithmError",
        exit_codes.BUG,
    )


def write(failure: Failure) -> None:
    """Writes the failure file. A job whose output cannot be written has its log; it must not fail of that."""
    with contextlib.suppress(OSError):
        failure_file().parent.mkdir(parents=True, exist_ok=True)
        failure_file().write_text(failure.text(), encoding="ascii")


def clear() -> None:
    """Removes the failure file of an earlier attempt in the same folders."""
    with contextlib.suppress(OSError):
        failure_file().unlink(missing_ok=True)


def _user(sentence: str) -> Failure:
    return Failure(sentence, "UserError", exit_codes.USER_ERROR)


def _disk(error: OSError) -> str | None:
    """Returns a sentence for a full disk or a missing right, else None."""
    if "No usable temporary directory" in str(error):
        return "Give the job a folder for temporary files that it can write: mount /tmp (--tmpfs /tmp), or set TMPDIR."
    name = f" {error.filename}" if error.filename else ""
    # numpy's tofile reports a short write as "100 requested and 10 written", without a number.
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or (error.errno is None and "requested and" in str(error)):
        return f"Give the job more disk (VolumeSizeInGB): there was no room left to write{name or ' the model'}."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        user = os.getuid() if hasattr(os, "getuid") else "this process"
        return f"Give user id {user} the right to use{name or ' the input and the output'}: {error.strerror}."
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return f"Make{name or ' the output'} a folder, or put it elsewhere: there is a file in its place."
    return None


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "no place known"

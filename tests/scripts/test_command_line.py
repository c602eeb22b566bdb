"""What every command does with mistakes."""

from __future__ import annotations

import pytest

from scripts.command_line import CommandError, key_values, run, size_text


def test_a_mistake_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        raise CommandError("the file is missing: make it")

    assert run(main) == 2
    assert capsys.readouterr().err == "error: the file is missing: make it\n"


def test_a_bug_keeps_its_traceback() -> None:
    def main() -> int:
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError):
        run(main)


def test_an_interrupt_ends_without_a_traceback() -> None:
    def main() -> int:
        raise KeyboardInterrupt

    assert run(main) == 130


def test_values_may_hold_equals_signs_and_be_empty() -> None:
    assert key_values(["a=1", "b=x=y", "c="], "-p") == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize(
    ("pairs", "message"), [(["a"], "write it as -p key=value"), (["=1"], "-p =1"), (["a=1", "a=2"], "a is given twice")]
)
def test_what_is_no_pair_is_named(pairs: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        key_values(pairs, "-p")


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (27, "27 bytes"), (49_999, "49,999 bytes"), (50_000, "0.1 MB"), (1_300_000, "1.3 MB")]
)
def test_a_small_size_is_told_in_bytes_and_never_as_nothing(size: int, text: str) -> None:
    assert size_text(size) == text

"""One line per stage, in a form that programs can split; bars only where a person sees them."""

from __future__ import annotations

import re
import sys

import pytest

from training.progress import log, set_up_logging, stage, track


@pytest.fixture(autouse=True)
def logging_to_captured_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()


def test_a_stage_is_one_line_with_its_seconds_and_facts(capsys: pytest.CaptureFixture[str]) -> None:
    with stage("fit_ease", songs=3) as facts:
        facts["weights"] = 7
    assert re.fullmatch(r"event=stage name=fit_ease seconds=\S+ songs=3 weights=7\n", capsys.readouterr().out)


def test_a_stage_that_fails_says_so_and_lets_the_error_through(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), stage("read"):
        raise KeyError("x")
    assert re.fullmatch(r"event=stage_failed name=read seconds=\S+ error=KeyError\n", capsys.readouterr().out)


def test_values_stay_on_one_line_and_in_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    log("seen", path="/a b", text="two\nlines", name="é", quote='a"b', empty="", share=0.25, small=0.00001, whole=2.0)
    assert capsys.readouterr().out == (
        'event=seen path="/a b" text="two\\nlines" name="\\u00e9" quote="a\\"b" empty="" share=0.25 small=1e-05 whole=2\n'
    )


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([1, 2], 2, "counting")) == [1, 2]
    assert capsys.readouterr().err == ""


def test_at_a_terminal_there_is_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert list(track([1, 2], 2, "counting")) == [1, 2]
    assert "counting" in capsys.readouterr().err

"""Whatever befalls a training job of the local SageMaker, the model has the same bytes and figures: real training, real signals."""

from __future__ import annotations

import re

import pytest

from scripts import misfortunes
from scripts.command_line import CommandError

SMALL = ["--songs", "300", "--listeners", "250"]
START = "Starting → Downloading → Training"


def courses(out: str) -> dict[str, str]:
    """Returns what is told of each job."""
    blocks = re.findall(r"^([a-z-]+): .*\n(?:\d\d:.*\n)*((?:  .*\n)+)", out, re.MULTILINE)
    return dict(blocks)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_spot_interruption_and_a_killed_host_leave_the_same_bytes_and_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert misfortunes.main([*SMALL, "--only", "spot", "--only", "three-killed"]) == 0
    told = courses(out := capsys.readouterr().out)
    assert f"{START} → Interrupted → {START} → Uploading → Completed" in told["spot"]
    assert re.search(r"[1-9]\d* part\(s\) taken from checkpoints", told["spot"])  # so it went on, and did not begin anew
    assert f"{START} → Restarting → {START} → Uploading → Completed" in told["three-killed"]
    assert out.count("  the same bytes and figures") == 2
    assert "3 of 3 jobs made the same model" in out


@pytest.mark.docker
@pytest.mark.timeout(900)
def test_three_containers_of_which_one_is_killed_once_make_the_model_of_one(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert misfortunes.main(["--docker", image, *SMALL, "--only", "three-killed"]) == 0
    told = courses(capsys.readouterr().out)
    assert f"{START} → Restarting → {START} → Uploading → Completed" in told["three-killed"]


def test_an_image_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(CommandError, match=r"docker image inspect no-such-image|docker cannot be run"):
        misfortunes.main(["--docker", "no-such-image"])


def test_a_difference_is_named_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    first = misfortunes.Made({"a.npy": "1", "b.npy": "2"}, "v", {"recall": 0.5}, ["Training"], 0, 1)
    other = misfortunes.Made({"a.npy": "1", "b.npy": "3"}, "v", {"recall": 0.25}, ["Training"], 0, 1)
    assert not misfortunes.compare(other, first)
    assert "  DIFFERENT: the file b.npy, a metric" in capsys.readouterr().out

"""`scripts/train` is SageMaker's training on a laptop: the same entry point, and an artifact that repeats byte for byte."""

from __future__ import annotations

import gzip
import os
import random
import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.command_line import CommandError
from scripts.pack import pack
from scripts.train import main
from training.config import TrainingConfig

QUICK = ["-p", "models=popularity,item_knn,als", "-p", "als_factors=4", "-p", "als_iterations=2", "-p", "evaluation_bootstrap_samples=20"]


@pytest.fixture(autouse=True)
def handler_of_sigterm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def interactions(tmp_path: Path) -> Path:
    rng = random.Random(1)
    rows = [f"u{user},s{song}" for user in range(40) for song in rng.sample(range(15), 6)]
    path = tmp_path / "events.csv"
    path.write_text("USER_ID,ITEM_ID\n" + "\n".join(rows) + "\n")
    return path


def test_the_same_input_and_seed_give_the_same_artifact_byte_for_byte(interactions: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        assert main(["--interactions", str(interactions), "--output", str(tmp_path / name), *QUICK]) == 0
    first, second = ((tmp_path / name / "model.tar.gz").read_bytes() for name in ("first", "second"))
    assert first == second
    assert main(["--interactions", str(interactions), "--output", str(tmp_path / "second"), *QUICK, "-p", "seed=1"]) == 0
    assert (tmp_path / "second" / "model.tar.gz").read_bytes() != first


def test_results_lie_where_they_are_said_to(interactions: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "channel"
    folder.mkdir()
    interactions.rename(folder / "events.csv")
    output = tmp_path / "trained"
    assert main(["--interactions", str(folder), "--output", str(output), *QUICK]) == 0
    said = capfd.readouterr().out
    for place in (output / "model", output / "output" / "evaluation.json", output / "model.tar.gz"):
        assert place.exists()
        assert str(place) in said
    with tarfile.open(output / "model.tar.gz") as archive:
        assert sorted(archive.getnames()) == sorted(path.name for path in (output / "model").iterdir())


def test_a_mistake_has_the_containers_exit_code_and_leaves_its_reason(interactions: Path, tmp_path: Path) -> None:
    assert main(["--interactions", str(interactions), "--output", str(tmp_path / "out"), "-p", "seed=x"]) == 2
    assert (tmp_path / "out" / "output" / "failure").read_text().startswith("Correct the hyperparameter: seed=")
    assert not (tmp_path / "out" / "model.tar.gz").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--interactions", "/no/such/file"], "--interactions /no/such/file: no such file or folder"),
        ([], "name --interactions, --items, or both"),
        (["--users", "."], "name --interactions, --items, or both"),
        (["--items", ".", "-p", "seed"], "-p seed: write it as -p key=value"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_before_anything_is_made(arguments: list[str], says: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=says):
        main([*arguments, "--output", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_not_cleared(interactions: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "model").mkdir(parents=True)
    (tmp_path / "out" / "model" / "thesis.txt").write_text("years of work")
    with pytest.raises(CommandError, match="not a model"):
        main(["--interactions", str(interactions), "--output", str(tmp_path / "out")])
    assert (tmp_path / "out" / "model" / "thesis.txt").exists()


def test_an_archive_does_not_tell_when_where_or_by_whom_it_was_made(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    for name in ("b.npy", "a.npy", "sub/c.npy"):
        (folder / name).write_bytes(name.encode())
    pack(folder, tmp_path / "one.tar.gz")
    os.utime(folder / "a.npy", (0, 0))
    (folder / "a.npy").chmod(0o600)
    pack(folder, tmp_path / "other.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "other.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "one.tar.gz") as archive:
        assert archive.getnames() == ["a.npy", "b.npy", "sub/c.npy"]
        assert {(entry.mtime, entry.uid, entry.gid, entry.uname, entry.mode) for entry in archive} == {(0, 0, 0, "", 0o644)}
    assert gzip.decompress((tmp_path / "one.tar.gz").read_bytes())[:5] == b"a.npy"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "one.tar.gz", "other.tar.gz"]


def test_hyperparameters_of_the_tests_are_real() -> None:
    given = dict(pair.split("=") for pair in QUICK if "=" in pair)
    assert given.keys() <= TrainingConfig.from_hyperparameters(given).to_flat_dict().keys()


def test_the_model_to_continue_is_not_replaced_while_it_is_read(interactions: Path, tmp_path: Path) -> None:
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "model.tar.gz").write_bytes(b"x")
    with pytest.raises(CommandError, match="name another folder"):
        main(
            [
                "--interactions",
                str(interactions),
                "--model",
                str(tmp_path / "trained" / "model.tar.gz"),
                "--output",
                str(tmp_path / "trained"),
            ]
        )
    assert (tmp_path / "trained" / "model.tar.gz").exists()

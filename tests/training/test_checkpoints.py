"""What is kept of a training is what was fitted, to the last bit; what is not of this training, or damaged, is not taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.artifact import load
from inference.scorers import PopularityScorer, Scorer
from training import pipeline
from training.checkpoints import FINAL, FIRST, Checkpoints
from training.config import TrainingConfig

GOLDEN = load(Path(__file__).resolve().parents[1] / "golden" / "format-3")
CONFIG = TrainingConfig()


def never() -> Scorer:
    raise AssertionError("fitted although it was kept")


def given(scorer: Scorer) -> Callable[[], Scorer]:
    return lambda: scorer


def begun(folder: Path, identity: str = "abc", host: str = "algo-1") -> Checkpoints:
    keep = Checkpoints(folder, host, ".unfinished")
    keep.begin(identity)
    return keep


@pytest.mark.parametrize("name", sorted(GOLDEN.scorers))
def test_every_kind_of_model_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    scorer = GOLDEN.scorers[name]
    assert begun(tmp_path).scorer(FIRST, name, CONFIG, given(scorer)) is scorer
    again = begun(tmp_path).scorer(FIRST, name, CONFIG, never)
    assert (type(again), again.settings()) == (type(scorer), scorer.settings())
    for array, values in scorer.arrays().items():
        kept = again.arrays()[array]
        assert (kept.dtype, kept.shape, kept.flags.f_contiguous) == (values.dtype, values.shape, values.flags.f_contiguous)
        assert kept.tobytes() == np.asarray(values).tobytes()


def test_another_identity_host_part_or_setting_is_another_checkpoint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, other = PopularityScorer(np.ones(3, np.float32)), PopularityScorer(np.zeros(3, np.float32))
    begun(tmp_path).scorer(FIRST, "popularity", CONFIG, given(one))
    with caplog.at_level("INFO", logger="training"):
        for keep in (begun(tmp_path, identity="abd"), begun(tmp_path, host="algo-2")):
            assert keep.scorer(FIRST, "popularity", CONFIG, given(other)) is other
    assert any('checkpoints_ignored count=1 reason="they are of other data, settings or code"' in line for line in caplog.messages)
    assert begun(tmp_path).scorer(FINAL, "popularity", CONFIG, given(other)) is other
    changed = TrainingConfig.from_hyperparameters({"popularity_half_life_days": "3"})
    assert begun(tmp_path).scorer(FIRST, "popularity", changed, given(other)) is other


@pytest.mark.parametrize("damage", ["cut off", "other bytes", "gone", "no json", "no object", "unknown kind"])
def test_what_is_damaged_is_told_and_fitted_again(damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    scorer = PopularityScorer(np.arange(50, dtype=np.float32))
    begun(tmp_path).scorer(FINAL, "popularity", CONFIG, given(scorer))
    array, document = tmp_path / "algo-1.abc.final-popularity.popularity.npy", tmp_path / "algo-1.abc.final-popularity.json"
    content = array.read_bytes()
    if damage == "cut off":
        array.write_bytes(content[:-4])
    elif damage == "other bytes":
        array.write_bytes(content[:-1] + b"\x01")
    elif damage == "gone":
        array.unlink()
    elif damage == "no json":
        document.write_text("{")
    else:
        document.write_text("3" if damage == "no object" else json.dumps({**json.loads(document.read_text()), "kind": "svd"}))
    with caplog.at_level("INFO", logger="training"):
        assert begun(tmp_path).scorer(FINAL, "popularity", CONFIG, given(scorer)) is scorer
    assert any("event=checkpoint_ignored" in line for line in caplog.messages)
    begun(tmp_path).scorer(FINAL, "popularity", CONFIG, never)


def test_a_file_has_its_name_only_when_all_of_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append(sorted(path.name for path in tmp_path.iterdir()))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    begun(tmp_path).scorer(FIRST, "popularity", CONFIG, given(PopularityScorer(np.ones(3, np.float32))))
    stem = "algo-1.abc.first-popularity"
    assert seen == [[f"{stem}.popularity.npy.unfinished"], [f"{stem}.json.unfinished", f"{stem}.popularity.npy"]]
    (tmp_path / f"{stem}.json.unfinished").write_text("{")  # as a kill would leave it
    begun(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{stem}.json", f"{stem}.popularity.npy"]


def test_a_folder_that_cannot_be_written_costs_the_checkpoints_and_not_the_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    keep, scorer = begun(tmp_path / "file" / "below"), PopularityScorer(np.ones(3, np.float32))
    with caplog.at_level("INFO", logger="training"):
        for part in (FIRST, FINAL):
            assert keep.scorer(part, "popularity", CONFIG, given(scorer)) is scorer
    assert len([line for line in caplog.messages if "checkpoints_given_up" in line]) == 1


def test_without_a_folder_they_are_kept_in_memory_for_a_stop() -> None:
    keep, scorer = Checkpoints(), PopularityScorer(np.ones(3, np.float32))
    keep.begin("abc")
    assert keep.scorer(FIRST, "popularity", CONFIG, given(scorer)) is scorer
    keep.put_found({"weights": {}})
    assert (keep.finished, keep.found()) == ({"popularity": scorer}, None)


def test_what_was_found_makes_what_it_was_found_with_needless(tmp_path: Path) -> None:
    keep = begun(tmp_path)
    keep.scorer(FIRST, "popularity", CONFIG, given(PopularityScorer(np.ones(3, np.float32))))
    keep.put_found({"weights": {"ease": 0.1 + 0.2}})
    assert [path.name for path in tmp_path.iterdir()] == ["algo-1.abc.found.json"]
    assert begun(tmp_path).found() == {"weights": {"ease": 0.1 + 0.2}}


def test_a_training_that_was_finished_is_only_exported_and_other_data_start_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = [f"u{user},s{2 * ((user + song) % 12) + user % 2}" for user in range(80) for song in range(7)]
    config = TrainingConfig.from_hyperparameters(
        {"models": "popularity,item_knn,ease", "split_validation_fraction": "0.4", "evaluation_bootstrap_samples": "10"}
    )
    models = []
    for round_number, more in enumerate(["", "", "u0,s1\n"]):
        (tmp_path / "events.csv").write_text("USER_ID,ITEM_ID\n" + "\n".join(lines) + "\n" + more)
        caplog.clear()
        with caplog.at_level("INFO", logger="training"):
            folder = tmp_path / str(round_number)
            channels = {"interactions": tmp_path / "events.csv"}
            pipeline.run(config, channels, folder / "model", folder / "output", checkpoints=Checkpoints(tmp_path / "kept"))
        fitted = [line for line in caplog.messages if "name=fit_" in line]
        assert len(fitted) == (0 if round_number == 1 else 6)
        models.append({path.name: path.read_bytes() for path in (folder / "model").iterdir()})
    assert models[0] == models[1]
    assert models[0] != models[2]
    assert any("checkpoints_ignored" in line for line in caplog.messages)

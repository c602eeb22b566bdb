"""A leaderboard on small invented data: what it says is what was measured, on the same split, and who does not belong is refused."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts import leaderboard, leaderboard_songs
from scripts.command_line import CommandError
from scripts.leaderboard import configurations
from scripts.leaderboard_judge import Judge
from scripts.leaderboard_rows import Result, Row, pairs, sorted_rows
from scripts.leaderboard_run import fit_seconds
from scripts.make_dataset import make_dataset
from scripts.peers_recommenders import main as recommend

pytestmark = pytest.mark.slow  # trains in processes of its own, many times
FAST = ("-p", "evaluation_bootstrap_samples=50", "-p", "evaluation_k=5,10", "-p", "models=item_knn,content,popularity")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make_dataset(folder, songs=200, listeners=250, events_per_listener=20, seed=3)
    return folder


@pytest.fixture(scope="module")
def board(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("board")
    channels = ("--interactions", str(world / "interactions"), "--items", str(world / "items"))
    arguments = [*channels, *FAST, "--models", "popularity,hybrid", "--folds", "2", "--leave-out", "--keep", "--output", str(output)]
    assert leaderboard.main(arguments) == 0
    return output


def document(board: Path) -> Any:
    return json.loads((board / "leaderboard.json").read_text(encoding="utf-8"))["sources"]["holdout"]


def test_every_listener_is_asked_once_in_the_folds_and_the_better_model_stands_first(board: Path) -> None:
    found = document(board)
    names = [row["model"] for row in found["rows"]]
    assert names.index("hybrid") < names.index("popularity")
    assert found["listeners"] == 244  # who has enough songs
    assert {run["fold"] for run in found["rows"][0]["runs"]} == {0, 1}


def test_a_contestants_figures_are_the_means_of_its_reports(board: Path) -> None:
    row = next(row for row in document(board)["rows"] if row["model"] == "hybrid")
    reports = [json.loads((board / "runs" / f"hybrid-fold{fold}-seed42" / "output" / "evaluation.json").read_text()) for fold in (0, 1)]
    recalls = [report["holdout"]["models"]["hybrid"]["recall_at_10"]["mean"] for report in reports]
    coverage = [report["holdout"]["models"]["hybrid"]["coverage_at_10"]["mean"] for report in reports]
    assert row["figures"]["recall_at_10"] == pytest.approx(np.mean(recalls), abs=1e-5)
    assert row["figures"]["coverage_at_10"] == pytest.approx(np.mean(coverage), abs=1e-5)
    assert row["between_runs"]["recall"] == pytest.approx(np.std(recalls, ddof=1), abs=1e-5)
    assert row["costs"]["fit_seconds"] < row["costs"]["seconds"]
    assert row["costs"]["peak_bytes"] > 1e7


def test_every_pair_is_compared_and_the_hybrid_beats_popularity(board: Path) -> None:
    found = document(board)
    n = len(found["rows"])
    assert len(found["pairs"]) == n * (n - 1)  # in recall and in nDCG
    pair = next(one for one in found["pairs"] if {one["first"], one["second"]} == {"hybrid", "popularity"})
    assert pair["verdict"] == "better"
    assert pair["adjusted_p_value"] >= pair["p_value"]


def test_a_hybrid_without_its_best_part_is_worse(board: Path) -> None:
    figures = {row["model"]: row["figures"]["ndcg_at_10"] for row in document(board)["rows"]}
    left_out = {name: value for name, value in figures.items() if name.startswith("hybrid without")}
    assert left_out
    assert min(left_out.values()) < figures["hybrid"]


def test_the_files_tell_the_same_as_the_json(board: Path) -> None:
    found = document(board)
    text, markdown = ((board / f"leaderboard.{kind}").read_text(encoding="utf-8") for kind in ("txt", "md"))
    rows = list(csv.DictReader((board / "leaderboard.csv").read_text(encoding="utf-8").splitlines()))
    for row, line in zip(found["rows"], rows, strict=True):
        assert line["model"] == row["model"]
        assert float(line["recall_at_10"]) == row["figures"]["recall_at_10"]
        shown = f"{row['figures']['recall_at_10']:.4f}"
        assert shown in text
        assert f"| {row['model']} | {shown} [" in markdown
    assert "ndcg_at_10: hybrid beats" in text
    for name in ("recall.svg", "accuracy_time.svg"):
        drawing = ElementTree.fromstring((board / name).read_text(encoding="utf-8"))
        assert "hybrid" in "".join(drawing.itertext())


def test_lists_of_another_program_are_judged_as_ours(board: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = board / "runs" / "hybrid-fold0-seed42"
    judge = Judge.of(run / "model", run / "output")
    reports = json.loads((run / "output" / "evaluation.json").read_text(encoding="utf-8"))["holdout"]["models"]
    ours = np.stack([np.pad(judge.recommender.rank(case.request), (0, 0)) for case in judge.cases]).astype(np.int32)
    assert judge.of_lists("ours", ours).metrics["recall_at_10"].mean == pytest.approx(reports["hybrid"]["recall_at_10"]["mean"], abs=1e-6)

    lists = tmp_path / "lists.npy"
    arguments = ["--peer", "ease_textbook", "--split", str(run / "output" / "split.npz"), "--output", str(lists), "--k", "10"]
    assert recommend([*arguments, "--seconds", "0.1"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    report = judge.of_lists("ease_textbook", np.load(lists))
    assert answer["tried"] >= 1
    assert report.metrics["recall_at_10"].mean > 1.1 * reports["popularity"]["recall_at_10"]["mean"]
    for case, songs in zip(judge.cases, report.recommended.tolist(), strict=True):
        assert not {*case.history.tolist()} & {*songs}


@pytest.mark.parametrize("wrong", [np.zeros((3, 10), np.int32), np.zeros((125, 10), np.int64), np.full((125, 10), 10_000, np.int32)])
def test_lists_that_cannot_be_of_this_split_are_refused(wrong: np.ndarray, board: Path) -> None:
    run = board / "runs" / "hybrid-fold0-seed42"
    with pytest.raises(ValueError, match="lists must"):
        Judge.of(run / "model", run / "output").of_lists("peer", wrong)


def test_a_peer_that_does_not_exist_is_refused(board: Path) -> None:
    with pytest.raises(CommandError, match="ease_textbook"):
        recommend(["--peer", "magic"])


def test_songs_with_more_events_are_found_more_often(world: Path, tmp_path: Path) -> None:
    channels = ("--interactions", str(world / "interactions"))
    settings = ("-p", "evaluation_bootstrap_samples=50", "-p", "evaluation_k=10", "-p", "split_test_fraction=0.2")
    models = ("--models", "item_knn", "--song-events", "0,5", "--output", str(tmp_path))
    assert leaderboard.main([*channels, *settings, *models]) == 0
    found = json.loads((tmp_path / "song_events.json").read_text(encoding="utf-8"))["sources"]
    assert set(found) == {"song_among_themselves", "song_among_all"}
    recall = found["song_among_themselves"]["item_knn"]
    assert recall["5"]["mean"] > recall["0"]["mean"]
    assert "item_knn" in (tmp_path / "song_events.txt").read_text(encoding="utf-8")


def test_contestants_who_split_otherwise_are_refused(world: Path, tmp_path: Path) -> None:
    tries = {"a": {"models": "popularity"}, "b": {"models": "popularity", "split_test_fraction": 0.2}}
    (tmp_path / "tries.json").write_text(json.dumps(tries), encoding="utf-8")
    arguments = ["--interactions", str(world / "interactions"), "--configurations", str(tmp_path / "tries.json")]
    with pytest.raises(CommandError, match="b holds out something else"):
        leaderboard.main([*arguments, "--output", str(tmp_path / "board")])


@pytest.mark.parametrize(
    ("tries", "models", "said"),
    [
        ("[]", (), "write"),
        ("{", (), "tries"),
        ('{"a": {"ease_l3": 1}}', (), "ease_l2"),
        ('{"a/b": {}}', (), "cannot be called"),
        (None, ("magic",), "magic"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_anything_is_trained(
    tries: str | None, models: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "tries.json"
    path.write_text(tries or "", encoding="utf-8")
    with pytest.raises(CommandError, match=said):
        configurations(path if tries is not None else None, models, {})


def row(name: str, *runs: list[float]) -> Row:
    results = [
        Result(fold, 0, {"recall_at_5": np.array(v), "ndcg_at_5": np.array(v)}, {}, 2.0, 1.0, 0.5, 7, {}) for fold, v in enumerate(runs)
    ]
    return Row(name, results)


def test_verdicts_need_more_than_noise() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(60)
    rows = [row("good", (values + 0.1).tolist()), row("same", values.tolist()), row("also", (values + rng.normal(0, 0.01, 60)).tolist())]
    verdicts = {(pair.first, pair.second): pair.verdict for pair in pairs(rows, 5, 0) if pair.measure == "ndcg_at_5"}
    assert verdicts[("good", "same")] == verdicts[("good", "also")] == "better"
    assert verdicts[("same", "also")] == "too close to call"
    assert sorted_rows(rows[::-1], 5)[0].name == "good"


def test_the_seconds_of_fitting_are_those_of_all_fits() -> None:
    log = "event=stage name=extract seconds=3.5\nevent=stage name=fit_ease seconds=1.25 listeners=3\nevent=stage name=blend seconds=1e-05\n"
    assert fit_seconds(log + "event=stage name=fit_ease seconds=2") == pytest.approx(3.25001)


def test_held_out_songs_are_the_same_for_every_number_of_events() -> None:
    assert {leaderboard_songs.settings_for(n, 20)["split_min_song_listeners"] for n in (0, 1, 20)} == {"40"}

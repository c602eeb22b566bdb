"""The benchmark of ranking runs for real, on a small model."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.artifact import save
from scripts import benchmark_ranking
from scripts.command_line import CommandError
from tests.inference.many_listeners import make_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    save(make_model("compiled", density=0.5), folder / "model", {})
    return folder


def rows(text: str) -> dict[str, list[str]]:
    table = text.splitlines()[5:]
    return {line.rsplit(maxsplit=2)[0]: line.rsplit(maxsplit=2)[1:] for line in table}


def test_every_way_of_asking_is_measured_at_the_length_that_is_asked_for(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark_ranking.main([str(model), "--longest", "7", "--n", "5", "--rounds", "1", "--without-peers"]) == 0
    text = capsys.readouterr().out
    assert "50 listeners, 60 songs" in text
    assert "item_to_item of 7 entries a song, 7 at most" in text
    found = rows(text)
    assert list(found) == ["alone, by id", "together, by id", "together, from histories", "scipy: the product alone"]
    for micros, per_second in found.values():
        assert float(micros) * float(per_second.replace(",", "")) == pytest.approx(1e6, rel=0.05)


def test_a_single_model_is_measured_too(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark_ranking.main([str(model / "model"), "--model", "popularity", "--rounds", "1", "--without-peers"]) == 0
    assert list(rows(capsys.readouterr().out)) == ["alone, by id", "together, by id"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--n", "0"], "--n takes"), (["--longest", "0"], "--longest"), (["--model", "neural"], "--model neural: one of hybrid")],
)
def test_what_cannot_be_measured_is_refused(model: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        benchmark_ranking.main([str(model), *arguments])


def test_a_folder_without_a_model_and_a_hybrid_without_an_operator_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No model"):
        benchmark_ranking.main([str(tmp_path)])
    save(make_model("one operator"), tmp_path / "model", {})
    with pytest.raises(CommandError, match="--longest"):
        benchmark_ranking.main([str(tmp_path), "--longest", "5"])


def test_a_list_that_differs_ends_the_benchmark(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = benchmark_ranking.chosen_model(model, "hybrid", None)
    monkeypatch.setattr(type(opened), "rank_each", lambda self, requests: (self.rank(request)[::-1] for request in requests))
    with pytest.raises(CommandError, match="lists differ"):
        benchmark_ranking.measure(opened, 5, 1)


def test_implicit_is_measured_on_the_same_histories(model: Path) -> None:
    if not benchmark_ranking.PEERS_PYTHON.exists():
        pytest.skip("scripts/peers --setup was not run")
    found = benchmark_ranking.peers(benchmark_ranking.chosen_model(model, "hybrid", None), 5, 1)
    assert list(found) == ["implicit: item-kNN of 12", "implicit: ALS of 128"]
    assert all(0 < seconds < 1 for seconds in found.values())

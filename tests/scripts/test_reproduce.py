"""A public split goes through the usual pipeline, and our row stands beside the published ones, with who reported them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import reproduce
from scripts.command_line import CommandError
from scripts.reproduce import read_published, table_of, write_pairs

HEAD = "Year,Publication,Model,Recall@20,NDCG@20,Contributor\n"


def split_of(folder: Path) -> None:
    """Listeners of two tastes, in LightGCN's text: each has the songs of a taste but one, which is to be found."""
    train, test = [], []
    for listener in range(24):
        songs = [2 * i + listener % 2 for i in range(8)]
        hidden = songs.pop(listener % 8)
        train.append(" ".join(map(str, [listener, *songs])))
        test.append(f"{listener} {hidden}")
    (folder / "train.txt").write_text("\n".join(train) + "\n")
    (folder / "test.txt").write_text("\n".join([*test, "24"]) + "\n")  # a listener without anything to be found
    published = HEAD + '2020,SIGIR,Perfect,1.0,1.0,"<a href=""x"">Zhu &amp; al.</a>"\n2001,WWW,Poor,0.05,,\n'
    (folder / "published.csv").write_text(published)


def test_lightgcn_text_is_trained_on_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split_of(tmp_path)
    output = tmp_path / "out"
    assert reproduce.main([str(tmp_path), "-p", "models=ease", "-p", "evaluation_k=20", "--output", str(output)]) == 0
    text = (output / "reproduced.txt").read_text(encoding="utf-8")
    assert text in capsys.readouterr().out
    lines = text.splitlines()
    assert "24 listeners (test)" in lines[0]
    order = [
        next(name for name in ("ours: ease", "ours: hybrid", "ours: popularity", "Perfect", "Poor") if name in line) for line in lines[2:]
    ]
    assert order[-1] == "Poor"
    assert order.index("ours: ease") < order.index("Poor")
    assert "reported by Zhu & al." in text


def test_lines_of_listeners_and_items_become_pairs(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("0 5 6\n1\n2 5\n")
    write_pairs(tmp_path / "train.txt", tmp_path / "train.csv")
    assert (tmp_path / "train.csv").read_text() == "USER_ID,ITEM_ID\n0,5\n0,6\n2,5\n"


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("0 5\n1 x\n")
    with pytest.raises(CommandError, match="line 2"):
        write_pairs(tmp_path / "train.txt", tmp_path / "train.csv")


def test_a_folder_without_a_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"ratings"):
        reproduce.main([str(tmp_path), "--output", str(tmp_path / "out")])


def test_published_figures_need_their_columns(tmp_path: Path) -> None:
    (tmp_path / "published.csv").write_text("Model,Precision\nx,1\n")
    with pytest.raises(CommandError, match="Recall@20"):
        read_published(tmp_path / "published.csv")


def test_columns_that_nobody_published_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "published.csv").write_text(HEAD + "2020,SIGIR,One,0.2,0.1,\n")
    value = {"mean": 0.3, "low": 0.2, "high": 0.4}
    figures = dict.fromkeys(("recall_at_20", "ndcg_at_20"), value)
    head, *rows = table_of({"models": {"ease": figures}}, read_published(tmp_path / "published.csv"))
    assert head == ["model", "published", "Recall@20", "NDCG@20", "source"]
    assert [row[0] for row in rows] == ["ours: ease", "One"]

"""The generated music world: its files, and that taste is worth something in it."""

import filecmp
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array

from scripts.make_dataset import main, make_dataset
from scripts.music_columns import HEADER, spelled_date
from scripts.music_words import distinct_titles
from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.data.extract import extract

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("world")
    make_dataset(folder, songs=3000, listeners=1200, events_per_listener=40, seed=3)
    return extract({"interactions": folder / "interactions", "items": folder / "items"}, TrainingConfig())


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("compress", [False, True])
def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(tmp_path: Path, compress: bool) -> None:
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        make_dataset(tmp_path / name, songs=300, listeners=50, events_per_listener=10, seed=seed, compress=compress)
    for one, two, other in zip(files(tmp_path / "one"), files(tmp_path / "two"), files(tmp_path / "other"), strict=True):
        assert filecmp.cmp(one, two, shallow=False)
        assert not filecmp.cmp(one, other, shallow=False)


def test_the_bytes_do_not_depend_on_the_process(tmp_path: Path) -> None:
    make_dataset(tmp_path / "here", songs=200, listeners=30, seed=1)
    command = [sys.executable, "-m", "scripts.make_dataset", str(tmp_path / "there"), "--songs", "200", "--listeners", "30", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True)
    assert "200 songs, 30 listeners" in done.stdout
    assert [path.read_bytes() for path in files(tmp_path / "here")] == [path.read_bytes() for path in files(tmp_path / "there")]


def test_the_songs_have_the_39_columns_and_spellings_of_the_public_file(tmp_path: Path) -> None:
    make_dataset(tmp_path, songs=500, listeners=20)
    lines = (tmp_path / "items" / "songs.csv").read_text().splitlines()
    assert lines[0] == ",".join(HEADER)
    assert len(HEADER) == 39
    assert lines[0].startswith(
        "Artist(s),song,text,Length,emotion,Genre,Album,Release Date,Key,Tempo,Loudness (db),Time signature,Explicit"
    )
    text = "\n".join(lines)
    for pattern in (r",0\d:\d\d,", r",\d+(st|nd|rd|th) \w+ (19|20)\d\d,", r",[A-G]#? (Maj|min),", r",-\d+(\.\d+)?db,", r",4/4,(Yes|No),"):
        assert len(re.findall(pattern, text)) > 450
    assert '""' in text


def test_extraction_reads_every_value_and_merges_the_repeated_rows(world: Dataset) -> None:
    assert world.n_items == 3000
    assert 100 < world.counts["items.rows_merged"] < 300
    assert not any("unparsed" in key or "out_of_range" in key or "not_in_catalogue" in key for key in world.counts)
    assert world.catalogue is not None
    assert 0 < np.isnan(world.catalogue.years).mean() < 0.05
    assert len({genre for genres in world.catalogue.genres for genre in genres}) > 20


def test_about_one_song_in_a_hundred_is_new_and_unheard_and_a_few_songs_are_hits(world: Dataset) -> None:
    plays = np.sort(np.bincount(world.interactions.items, minlength=world.n_items))[::-1]
    assert (plays == 0).sum() == 30
    assert 0.4 < plays[: world.n_items // 5].sum() / plays.sum() < 0.8


def test_times_and_event_types_are_plausible(tmp_path: Path) -> None:
    make_dataset(tmp_path, songs=300, listeners=100)
    rows = [line.rsplit(",", 2) for line in (tmp_path / "interactions" / "events.csv").read_text().splitlines()[1:]]
    times = [int(time) for _, time, _ in rows]
    kinds = [kind for _, _, kind in rows]
    assert times == sorted(times)
    assert 1_672_531_200 <= times[0] < times[-1] < 1_735_689_600
    assert kinds.count("play") > kinds.count("like") > 50
    assert kinds.count("skip") > 50


def recall_at_20(scores: np.ndarray, shown: csr_array, hidden: csr_array) -> float:
    scores = scores.copy()
    scores[shown.nonzero()] = -np.inf
    top = np.argpartition(-scores, 20, axis=1)[:, :20]
    found = np.take_along_axis(hidden.toarray() > 0, top, axis=1).sum(axis=1)
    wanted = np.minimum(np.diff(hidden.indptr), 20)
    return float((found[wanted > 0] / wanted[wanted > 0]).mean())


def test_a_recommender_that_knows_taste_beats_popularity_and_one_that_knows_only_artist_and_genre(world: Dataset) -> None:
    everything = world.interactions.user_items(world.n_users, world.n_items)
    everything.data[:] = 1
    is_shown = np.random.default_rng(0).random(everything.nnz) < 0.8
    shown, hidden = everything.copy(), everything.copy()
    shown.data, hidden.data = np.where(is_shown, 1.0, 0.0), np.where(is_shown, 0.0, 1.0)
    shown.eliminate_zeros()
    hidden.eliminate_zeros()

    popularity = np.tile(shown.sum(axis=0), (world.n_users, 1))
    together = (shown.T @ shown).toarray()
    norms = np.sqrt(np.diag(together)) + 1e-9
    neighbours = together / norms / norms[:, None]
    np.fill_diagonal(neighbours, 0)
    assert world.catalogue is not None
    tags = [[*(f"artist {name}" for name in a), *g] for a, g in zip(world.catalogue.artists, world.catalogue.genres, strict=True)]
    number = {tag: place for place, tag in enumerate(sorted({tag for song in tags for tag in song}))}
    places = np.array([(song, number[tag]) for song, its in enumerate(tags) for tag in its]).T
    content = csr_array((np.ones(places.shape[1]), places), shape=(world.n_items, len(number)))
    content = content @ diags_array(np.log(world.n_items / content.sum(axis=0)))

    by_popularity = recall_at_20(popularity, shown, hidden)
    by_taste = recall_at_20(shown @ neighbours, shown, hidden)
    by_content = recall_at_20((shown @ content @ content.T).toarray(), shown, hidden)
    print(json.dumps({"popularity": by_popularity, "content": by_content, "taste": by_taste}))
    assert by_taste > 3 * by_popularity
    assert by_taste > 1.3 * by_content > 1.3 * by_popularity


def test_the_titles_of_an_artist_differ_and_so_do_the_ids(tmp_path: Path) -> None:
    titles = distinct_titles()
    assert len({title.casefold() for title in titles}) == len(titles)
    made = make_dataset(tmp_path, songs=20_000, listeners=10, lyrics_lines=0)
    assert extract({"items": tmp_path / "items"}, TrainingConfig()).n_items == made["songs"] == 20_000


@pytest.mark.parametrize("songs", [1, 2, 9])
@pytest.mark.parametrize("listeners", [1, 3])
def test_a_world_may_be_tiny(tmp_path: Path, songs: int, listeners: int) -> None:
    make_dataset(tmp_path, songs=songs, listeners=listeners, events_per_listener=2)
    dataset = extract({"interactions": tmp_path / "interactions", "items": tmp_path / "items"}, TrainingConfig())
    assert (dataset.n_items, dataset.n_users) == (songs, listeners)


def test_sizes_that_cannot_be_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="songs has to be"):
        make_dataset(tmp_path, songs=0)
    monkeypatch.setattr(sys, "argv", ["make_dataset", str(tmp_path), "--listeners", "0"])
    with pytest.raises(SystemExit):
        main()
    assert "listeners and events per listener at least 1" in capsys.readouterr().err


@pytest.mark.parametrize(("day", "spelled"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd"), (31, "31st")])
def test_dates_are_spelled_as_in_the_public_file(day: int, spelled: str) -> None:
    from datetime import date

    assert spelled_date(date(2013, 1, day)) == f"{spelled} January 2013"

"""Other people's recommenders: each one finds what is easy to find, in the environment where its library lives."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from scripts import leaderboard
from scripts.command_line import CommandError
from scripts.leaderboard_peers import run_peer
from scripts.peers_environments import SERVERS, python_of
from scripts.peers_models import PEERS
from scripts.peers_task import Played, Task, with_asked
from training.evaluation.split_file import Asked, SplitFile

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("ease_textbook", "implicit_cosine", "lightfm", "cornac_ease", "rectools_pure_svd")  # sansa and lenskit compile for half a minute
GROUPS, SONGS, LISTENERS, KNOWN = 4, 15, 120, 100


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four groups of songs; everybody likes one, has played eight of it and is to find three others. A last song that nobody has played."""
    rng = np.random.default_rng(0)
    n_items = GROUPS * SONGS + 1
    played, hidden = (np.zeros((LISTENERS, n_items), dtype=np.float32) for _ in range(2))
    for listener in range(LISTENERS):
        liked = SONGS * (listener % GROUPS) + rng.permutation(SONGS)
        played[listener, liked[:8]] = 1
        hidden[listener, liked[8:11]] = 1
    users = np.array([*range(20), *[-1] * (LISTENERS - KNOWN)])
    rows = [*range(20), *range(KNOWN, LISTENERS)]
    asked = Asked(users, csr_array(played[rows]), csr_array(hidden[rows]))
    genres = np.repeat(np.eye(GROUPS, dtype=np.float32), SONGS, axis=0)
    features = csr_array(np.vstack([genres, np.zeros((1, GROUPS), dtype=np.float32)]))
    learn = csr_array(played[:KNOWN])
    path = tmp_path_factory.mktemp("split") / "split.npz"
    SplitFile(learn, learn, asked, asked, features).write(path)
    return path


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in PEERS])
def test_a_peer_finds_the_songs_of_a_listeners_group_be_they_known_or_new(name: str, split: Path, tmp_path: Path) -> None:
    try:
        python_of(name)
    except CommandError as error:
        pytest.skip(str(error))
    ours = SplitFile.read(split).test
    run = run_peer(name, split, tmp_path / "lists.npy", 7, 1.0, 1)
    assert run.answer["tried"] >= 1
    assert set(run.answer["settings"]) == set(PEERS[name].grid)
    assert run.lists.shape == (len(ours.users), 7)
    assert run.lists.dtype == np.int32
    found = []
    for row, songs in enumerate(run.lists.tolist()):
        listed = [song for song in songs if song >= 0]
        assert len(set(listed)) == len(listed)
        assert not {*listed} & {*ours.shown[[row]].indices.tolist()}
        found.append(len({*listed} & {*ours.hidden[[row]].indices.tolist()}) / 3)
    known = ours.users >= 0
    assert np.mean(np.array(found)[known]) > 0.4  # by chance 7 songs of the 53 that remain: 0.13
    assert np.mean(np.array(found)[~known]) > 0.4


def test_a_peer_lives_where_its_library_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "peers.in").write_text("implicit\n")
    (tmp_path / "requirements" / "peers_older.in").write_text('# not sansa\nlenskit<2024 ; python_version < "3.12"\nrectools>=0.19\n')
    for name in (".venv-peers", ".venv-peers-older"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin" / "python").touch()
    homes = {
        peer: python_of(peer, tmp_path).parts[-3] for peer in ("implicit_als", "sansa_icf", "ease_textbook", "lenskit_als", "rectools_als")
    }
    assert homes == {
        "implicit_als": ".venv-peers",
        "sansa_icf": ".venv-peers",
        "ease_textbook": ".venv-peers",
        "lenskit_als": ".venv-peers-older",
        "rectools_als": ".venv-peers-older",
    }


def test_a_peer_whose_environment_is_missing_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"sansa_icf.*\.venv-peers.*scripts/peers --setup"):
        python_of("sansa_icf", tmp_path)


def test_a_leaderboard_with_a_peer_that_is_not_installed_ends_before_anything_is_trained(tmp_path: Path) -> None:
    with suppress(CommandError):
        pytest.skip(f"{python_of('sansa_icf')} is there")
    (tmp_path / "events.csv").write_text("user_id,item_id\n")
    with pytest.raises(CommandError, match="not installed"):
        leaderboard.main(["--interactions", str(tmp_path / "events.csv"), "--peers", "sansa_icf", "--output", str(tmp_path / "board")])
    assert not list((tmp_path / "board").rglob("*.log"))


def test_every_library_of_a_peer_is_asked_for_in_exactly_one_place() -> None:
    files = [path for path in (ROOT / "requirements").glob("peers*.in") if not path.stem.startswith(SERVERS)]
    asked = [re.findall(r"^[a-z]+", path.read_text(encoding="utf-8"), re.MULTILINE) for path in files]
    libraries = {name.partition("_")[0] for name in PEERS} - {"ease"}  # the textbook's needs none
    assert {library: sum(library in names for names in asked) for library in libraries} == dict.fromkeys(libraries, 1)


def test_a_new_listener_who_is_asked_gets_a_row_and_a_known_one_keeps_his() -> None:
    learn = csr_array(np.array([[1, 0, 0], [0, 1, 1]], dtype=np.float32))
    shown = csr_array(np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0]], dtype=np.float32))
    task = Task(learn, Asked(np.array([-1, 1, -1]), shown, shown), csr_array((3, 0), dtype=np.float32), 0)
    matrix, users = with_asked(task)
    assert users.tolist() == [2, 1, 3]
    assert matrix.toarray().tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1], [1, 1, 0]]
    assert task.asked.users.tolist() == [-1, 1, -1]


def test_songs_that_nobody_has_played_are_left_out_and_never_come_before_others() -> None:
    matrix = csr_array(np.array([[0, 3, 0, 1], [0, 0, 0, 2]], dtype=np.float32))
    played = Played.of(matrix)
    assert played.part(matrix).toarray().tolist() == [[1, 1], [0, 1]]
    spread = played.spread(np.array([[-5.0, np.nan]]))
    assert spread.tolist() == [[-np.inf, -5.0, -np.inf, -np.inf]]


def test_setting_up_refuses_an_environment_that_does_not_exist() -> None:
    command = [str(ROOT / "scripts" / "peers"), "--setup", "magic"]
    finished = subprocess.run(command, capture_output=True, text=True, env={**os.environ}, timeout=60, check=False)
    assert finished.returncode == 2
    assert "requirements/magic.txt" in finished.stderr

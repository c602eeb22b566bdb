"""`scripts/convert_dataset`: a catalogue and a log become Amazon Personalize's datasets, and those become channels that say the same."""

from __future__ import annotations

import json
from pathlib import Path

import fastavro
import numpy as np
import pytest

from scripts.command_line import CommandError
from scripts.convert_dataset import main
from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.data.extract import extract

SONGS = """id,name,artists,genres,year,popularity,danceability,loudness,duration_ms,key,mode,explicit,album
a,"Say ""Yes"", Please","Tyler, The Creator",hip hop|r&b,2017,81,0.1,-6.85,227413,1,1,true,Flower Boy
b,Back\\slash,AC/DC;🎵,rock,1980,90,0.735,-5.1,255000,11,0,false,"x, y"
b,Back\\slash,AC/DC;🎵,metal,1980,90,0.735,-5.1,255000,11,0,false,"x, y"
c,Nobody's Song,Nobody,,,,,,,,,,
"""
EVENTS = """user,item,timestamp,event_type,plays
"u,1",a,1500000000,play,1
"u,1",b,1500000060,play,2
"u,1",b,1500000120,like,1
u2,b,2020-01-01T00:00:00Z,play,3.5
,b,1500000060,play,2
u2,only in events,1500000060,,1
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    out = {"items": tmp_path / "songs.csv", "interactions": tmp_path / "log.csv", "users": tmp_path / "users.csv"}
    for name, text in (("items", SONGS), ("interactions", EVENTS), ("users", "user_id\nu2\nu3\n")):
        out[name].write_text(text, encoding="utf-8")
    return out


def convert(channels: dict[str, Path], to: str, output: Path, *more: str) -> int:
    paths = [argument for name, path in channels.items() for argument in (f"--{name}", str(path))]
    return main([*paths, "--to", to, "--output", str(output), *more])


def data(channels: dict[str, Path], **settings: str) -> Dataset:
    return extract(channels, TrainingConfig.from_hyperparameters(settings))


def test_there_and_back_everything_is_as_it_was(files: dict[str, Path], tmp_path: Path) -> None:
    middle, end = tmp_path / "personalize", tmp_path / "channels"
    assert convert(files, "personalize", middle) == 0
    assert convert(dict.fromkeys(files, middle), "channels", end) == 0
    before, after = data(files), data({name: end / name for name in files})
    assert after.item_ids.tolist() == before.item_ids.tolist() == ["a", "b", "c", "only in events"]
    assert after.user_ids.tolist() == before.user_ids.tolist() == ["u,1", "u2", "u3"]
    for part in ("users", "items", "weights", "timestamps"):
        np.testing.assert_array_equal(getattr(after.interactions, part), getattr(before.interactions, part))
    old, new = before.catalogue, after.catalogue
    assert old is not None
    assert new is not None
    assert new.titles.tolist() == old.titles.tolist()
    assert new.artist_texts.tolist() == old.artist_texts.tolist()
    assert (new.artists, new.genres) == (old.artists, old.genres)
    assert new.genres[1] == ("metal", "rock")
    assert new.labels["album"].names == old.labels["album"].names
    for part in ("years", "popularity", "audio", "known", "keys", "modes", "explicit"):
        np.testing.assert_array_equal(getattr(new, part), getattr(old, part))


def test_the_files_are_amazon_personalizes_and_a_report_lies_beside_them(files: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "personalize"
    convert(files, "personalize", output)
    for kind in ("interactions", "items", "users"):
        schema = json.loads((output / f"{kind}-schema.json").read_text())
        assert fastavro.parse_schema(schema)["name"] == f"com.amazonaws.personalize.schema.{kind.capitalize()}"
        assert (output / f"{kind}.csv").read_text().splitlines()[0] == ",".join(field["name"] for field in schema["fields"])
    assert (output / "quality_report.json").exists()


def test_what_was_merged_dropped_and_changed_is_said(files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    convert(files, "personalize", tmp_path / "out")
    said = capsys.readouterr().out
    assert "merge the rows of one id: 4 rows in, 3 out" in said
    assert 'missing id in "user": 1, drop' in said
    assert f"{tmp_path / 'out' / 'interactions.csv'}  5 rows" in said
    assert "types missing: 1" in said
    assert "note: 5 interactions: Amazon Personalize takes 1,000 and more" in said


def test_hyperparameters_and_samples_say_what_is_converted(files: dict[str, Path], tmp_path: Path) -> None:
    log = files["interactions"]
    log.write_text(log.read_text().replace("user,", "who,").replace('"u,1"', "u1"))
    output = tmp_path / "out"
    convert({"interactions": log}, "personalize", output, "-p", "data_user_column=who", "--events", "2", "--seed", "3")
    first = (output / "interactions.csv").read_text()
    assert len(first.splitlines()) == 3
    convert({"interactions": log}, "personalize", output, "-p", "data_user_column=who", "-p", "sample_events=2", "-p", "seed=3")
    assert (output / "interactions.csv").read_text() == first


def test_a_log_without_times_needs_a_decision(tmp_path: Path) -> None:
    log = tmp_path / "playlists.csv"
    log.write_text("playlist_id,track_id\np1,t1\np1,t2\n")
    with pytest.raises(CommandError, match=r"event 1 \(listener \"p1\", song \"t1\"\) has no time.*--first-time"):
        convert({"interactions": log}, "personalize", tmp_path / "out")
    convert({"interactions": log}, "personalize", tmp_path / "out", "--first-time", "1000")
    assert (tmp_path / "out" / "interactions.csv").read_text() == "USER_ID,ITEM_ID,TIMESTAMP\np1,t1,1000\np1,t2,1001\n"


def test_a_catalogue_alone_is_items_alone(files: dict[str, Path], tmp_path: Path) -> None:
    convert({"items": files["items"]}, "personalize", tmp_path / "out")
    written = {path.name for path in (tmp_path / "out").glob("*.csv")}
    assert written == {"items.csv"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "channels"], "name --interactions, --items or --users"),
        (["--items", "missing.csv", "--to", "channels"], "no such file or folder"),
        (["--items", ".", "--to", "channels", "--songs", "3", "-p", "seed=1"], "--songs, -p: --to channels keeps all as it is"),
        (["--items", ".", "--to", "channels"], "no CSV file of Items is there"),
        (["--items", ".", "--to", "personalize", "--songs", "3", "-p", "sample_songs=3"], "the same setting"),
        (["--items", ".", "--to", "personalize", "-p", "data_colour=red"], "data_colour"),
        (["--items", ".", "--to", "personalize"], "no data to train on"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(CommandError) as caught:
        main([*arguments, "--output", str(tmp_path / "out")])
    assert said in str(caught.value)


def test_a_value_that_the_schema_does_not_allow_is_named(files: dict[str, Path], tmp_path: Path) -> None:
    middle = tmp_path / "personalize"
    convert(files, "personalize", middle)
    path = middle / "items.csv"
    path.write_text(path.read_text().replace("2017", "then"))
    with pytest.raises(CommandError, match=r'items\.csv, row 1, column "RELEASE_YEAR": "then" is no int'):
        convert({"items": middle}, "channels", tmp_path / "channels")

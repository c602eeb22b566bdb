"""A file of every supported schema, as it comes, becomes a model that answers, with the features that its columns hold."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from inference.artifact import load
from inference.recommender import Recommender
from inference.request import Request
from scripts.convert_dataset import main as convert
from scripts.make_dataset import make_dataset
from training import pipeline
from training.config import TrainingConfig
from training.data.schemas import EVENT_SCHEMAS, ITEM_SCHEMAS

TRACKS = (
    *("", "track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit", "danceability", "energy", "key"),
    *(
        "loudness",
        "mode",
        "speechiness",
        "acousticness",
        "instrumentalness",
        "liveness",
        "valence",
        "tempo",
        "time_signature",
        "track_genre",
    ),
)
Trained = tuple[Recommender, dict[str, str]]


def train(folder: Path, channels: dict[str, Path], **hyperparameters: str) -> Trained:
    """The model, and the schema of each channel as the lineage says it."""
    settings = TrainingConfig.from_hyperparameters(
        {"models": "popularity,item_knn,content", "evaluation_bootstrap_samples": "10"} | hyperparameters
    )
    pipeline.run(settings, channels, folder / "model", folder / "output", threads=2)
    report = json.loads((folder / "output" / "quality_report.json").read_text(encoding="utf-8"))
    return load(folder / "model", verify=True), {file["channel"]: file["schema"] for file in report["files"]}


def answers(model: Recommender) -> None:
    seeds = (model.items.id(0), model.items.id(1))
    answer = model.recommend(Request(items=seeds, num_recommendations=5, explain=True, metadata=True))
    assert len(answer.recommendations) == 5
    assert not {one.item_id for one in answer.recommendations} & set(seeds)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make_dataset(folder, songs=400, listeners=150, events_per_listener=20, seed=3)
    return folder


def test_the_39_columns_of_spotify_songs(world: Path, tmp_path: Path) -> None:
    model, schemas = train(tmp_path, {"items": world / "items", "interactions": world / "interactions"})
    assert schemas == {"items": "spotify_songs", "interactions": "personalize"}
    assert model.features is not None
    assert {"genres", "genre_cluster", "mood", "key", "mode", "decade", "popularity_bucket", "tempo", "language", "lyrics"} <= set(
        model.features
    )
    assert {"good_for_party", "good_for_running", "explicit"} <= set(model.features)
    answers(model)


def test_the_20_columns_of_spotify_tracks_where_a_song_has_a_row_per_genre(tmp_path: Path) -> None:
    with (tmp_path / "dataset.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(TRACKS)
        for song in range(60):
            values = (0.1 + song / 100, 0.5, song % 12, -6.5, song % 2, 0.05, 0.3, 0.0, 0.1, 0.4, 90 + song, 4)
            for genre in ("acoustic", "folk") if song % 3 else ("techno",):
                head = (song, f"id{song}", f"Artist {song % 7};Guest", f"Album {song % 9}", f"Song {song}", song, 200_000 + song, "False")
                rows.writerow([*head, *values, genre])
    model, schemas = train(tmp_path, {"items": tmp_path / "dataset.csv"})
    assert schemas == {"items": "spotify_tracks"}
    assert len(model.items) == 60
    assert model.features is not None
    assert model.features.row(model.items.number("id1"))["genres"] == ["acoustic", "folk"]
    answers(model)


def test_amazon_personalizes_datasets_with_their_schemas_beside_them(world: Path, tmp_path: Path) -> None:
    sources = ["--items", str(world / "items"), "--interactions", str(world / "interactions")]
    assert convert([*sources, "--to", "personalize", "--output", str(tmp_path / "personalize")]) == 0
    channels = {}
    for channel, name in (("items", "items"), ("interactions", "interactions"), ("users", "users")):
        channels[channel] = tmp_path / "channels" / channel
        channels[channel].mkdir(parents=True)
        for file in (tmp_path / "personalize").glob(f"{name}*"):
            file.rename(channels[channel] / file.name)
        assert {path.suffix for path in channels[channel].iterdir()} == {".csv", ".json"}
    model, schemas = train(tmp_path, channels)
    assert schemas == {"items": "personalize", "interactions": "personalize", "users": "personalize"}
    assert model.features is not None
    assert {"genres", "tempo", "key"} <= set(model.features)
    answers(model)


def test_columns_of_our_own_and_further_ones_that_are_named(tmp_path: Path) -> None:
    songs = [f"s{song},Song {song},Artist {song % 5},g{song % 3},{song / 60},{song},label {song % 4}\n" for song in range(60)]
    (tmp_path / "songs.csv").write_text("id,title,artist,genre,energy,plays per day,label\n" + "".join(songs), encoding="utf-8")
    events = [{"listener": f"u{user}", "song_id": f"s{(7 * user + song) % 60}"} for user in range(30) for song in range(8)]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    named = {"features_numeric": "plays per day", "features_categorical": "label"}
    model, schemas = train(tmp_path, {"items": tmp_path / "songs.csv", "interactions": tmp_path / "events.jsonl"}, **named)
    assert schemas == {"items": "generic", "interactions": "generic"}
    assert model.features is not None
    assert model.similarity is not None
    assert {"plays_per_day", "label"} <= set(model.similarity.parts)
    answers(model)


def test_every_schema_that_is_declared_is_trained_here() -> None:
    assert {schema.name for schema in ITEM_SCHEMAS} == {"spotify_songs", "spotify_tracks", "personalize", "generic"}
    assert {schema.name for schema in EVENT_SCHEMAS} == {"personalize", "generic"}

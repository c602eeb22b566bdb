"""Every channel is found as the platform delivers it; a description that makes no sense ends the job with what to set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from container.paths import SettingsError
from container.train_channels import channels, sharded_channels, size_of
from training.data.pipe_channel import PipeChannel


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return tmp_path


def describe(base: Path, **description: Any) -> None:
    (base / "input" / "config").mkdir(parents=True, exist_ok=True)
    (base / "input" / "config" / "inputdataconfig.json").write_text(json.dumps(description))


def folder(base: Path, *names: str) -> None:
    for name in names:
        (base / "input" / "data" / name).mkdir(parents=True)


def test_channels_are_those_that_are_described_and_there(base: Path) -> None:
    folder(base, "interactions", "left_over")
    describe(base, interactions={"TrainingInputMode": "FastFile", "NewKey": 1}, items={}, users={"TrainingInputMode": "File"})
    assert channels() == {"interactions": base / "input" / "data" / "interactions"}
    assert sharded_channels() == ()


def test_without_a_description_every_folder_is_a_channel(base: Path) -> None:
    assert channels() == {}
    folder(base, "items", "interactions", ".hidden")
    (base / "input" / "data" / "note.txt").write_text("x")
    assert list(channels()) == ["interactions", "items"]


def test_a_pipe_is_a_channel_before_it_is_there(base: Path) -> None:
    describe(
        base,
        items={"TrainingInputMode": "Pipe"},
        train={"TrainingInputMode": "Pipe", "RecordWrapperType": "RecordIO", "ContentType": "text/csv"},
    )
    data = base / "input" / "data"
    assert channels() == {
        "items": PipeChannel("items", data / "items_0"),
        "train": PipeChannel("train", data / "train_0", "RecordIO", "text/csv"),
    }


def test_a_part_of_a_channel_may_be_empty(base: Path) -> None:
    describe(base, interactions={"S3DistributionType": "ShardedByS3Key"}, items={"S3DistributionType": "FullyReplicated"})
    assert channels() == {"interactions": base / "input" / "data" / "interactions"}
    assert sharded_channels() == ("interactions",)


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ({"TrainingInputMode": "pipe"}, "Set TrainingInputMode of the channel 'items' to File or FastFile or Pipe: 'pipe' is not known."),
        (
            {"S3DistributionType": "Sharded"},
            "Set S3DataDistributionType of the channel 'items' to FullyReplicated or ShardedByS3Key: 'Sharded' is not known.",
        ),
        ({"RecordWrapperType": "TFRecord"}, "Set RecordWrapperType of the channel 'items' to None or RecordIO: 'TFRecord' is not known."),
        ({"RecordWrapperType": "RecordIO"}, "Set RecordWrapperType of the channel 'items' to None, or its TrainingInputMode to Pipe:"),
        ("s3://bucket", "Correct inputdataconfig.json: the channel 'items' must be a JSON object, not 's3://bucket'."),
    ],
)
def test_a_description_that_makes_no_sense_is_told(base: Path, description: Any, sentence: str) -> None:
    folder(base, "items")
    describe(base, items=description)
    for ask in (channels, sharded_channels):
        with pytest.raises(SettingsError) as raised:
            ask()
        assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize(
    ("name", "description", "sentence"),
    [
        (
            "items",
            {"ContentType": "image/jpeg"},
            "Set ContentType of the channel 'items' to one of text/csv, text/tab-separated-values, application/json,",
        ),
        ("items", {"ContentType": "text/cvs"}, "is not read (did you mean text/csv?)."),
        (
            "items",
            {"ContentType": "application/x-parquet", "TrainingInputMode": "Pipe"},
            "Set TrainingInputMode of the channel 'items' to File or FastFile: application/x-parquet can't be read from a pipe.",
        ),
        ("items", {"ContentType": "text/csv; charset=latin-1"}, "Save the files of the channel 'items' as UTF-8"),
        (
            "model",
            {"TrainingInputMode": "Pipe"},
            "Set TrainingInputMode of the channel 'model' to File or FastFile: it can't be read from a pipe.",
        ),
        ("model", {"ContentType": "text/csv"}, "Set ContentType of the channel 'model' to one of application/x-sagemaker-model,"),
        ("a channel", {}, 'Rename the channel "a channel"'),
        ("x" * 65, {}, "at most 64"),
    ],
)
def test_what_cannot_be_read_is_told_before_any_data_is_looked_at(base: Path, name: str, description: Any, sentence: str) -> None:
    describe(base, **{"interactions": {}, name: description})  # there is no folder at all
    with pytest.raises(SettingsError) as raised:
        channels()
    assert sentence in str(raised.value)
    assert "Correct" not in str(raised.value)  # it is the only mistake


@pytest.mark.parametrize(
    "description",
    [
        {"ContentType": content_type, "TrainingInputMode": mode}
        for mode in ("File", "FastFile", "Pipe")
        for content_type in ("", "text/csv", "TEXT/CSV; charset=UTF-8; label_size=0", "application/jsonlines", "application/x-parquet")
        if mode != "Pipe" or content_type != "application/x-parquet"
    ],
)
def test_what_can_be_read_is_let_through_in_every_mode(base: Path, description: dict[str, str]) -> None:
    describe(base, interactions={**description, "S3DistributionType": "ShardedByS3Key"})
    assert sharded_channels() == ("interactions",)


def test_all_mistakes_are_told_at_once(base: Path) -> None:
    odd = {f"code{n}": {"ContentType": "application/x-tar"} for n in range(19)}  # nobody's business what these hold
    describe(base, items={"RecordWrapperType": "RecordIO", "ContentType": "x/y"}, users={"TrainingInputMode": "Tube"}, **odd)
    with pytest.raises(SettingsError) as raised:
        channels()
    text = str(raised.value)
    assert text.startswith("Correct 4 things about the channels: (1) Set RecordWrapperType of the channel 'items'")
    assert all(part in text for part in ("(2) Set ContentType of the channel 'items'", "(3) Set TrainingInputMode of the channel 'users'"))
    assert text.endswith("(4) Leave channels out: there are 21, and a job has at most 20.")


def test_channels_that_teach_nothing_are_not_enough(base: Path) -> None:
    describe(base, users={}, code={})
    with pytest.raises(SettingsError, match="Add the channel interactions or train or items: there is only code, users"):
        channels()


def test_the_size_is_that_of_all_files_in_all_folders(base: Path) -> None:
    folder(base, "items/part", "interactions")
    describe(base, items={}, interactions={}, test={"TrainingInputMode": "Pipe"}, users={"S3DistributionType": "ShardedByS3Key"})
    (base / "input" / "data" / "items" / "part" / "a.csv").write_bytes(bytes(100))
    (base / "input" / "data" / "interactions" / "b.csv").write_bytes(bytes(23))
    assert len(channels()) == 4
    assert size_of(channels()) == 123

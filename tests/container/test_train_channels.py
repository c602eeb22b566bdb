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


def test_the_size_is_that_of_all_files_in_all_folders(base: Path) -> None:
    folder(base, "items/part", "interactions")
    describe(base, items={}, interactions={}, test={"TrainingInputMode": "Pipe"}, users={"S3DistributionType": "ShardedByS3Key"})
    (base / "input" / "data" / "items" / "part" / "a.csv").write_bytes(bytes(100))
    (base / "input" / "data" / "interactions" / "b.csv").write_bytes(bytes(23))
    assert len(channels()) == 4
    assert size_of(channels()) == 123

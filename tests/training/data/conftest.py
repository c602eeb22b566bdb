"""Channels written into a temporary folder."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.data.extract import extract

Content = str | bytes
Extract = Callable[..., Dataset]


def settings(**config: object) -> TrainingConfig:
    """The configuration with these values: ``data_*`` may be named without their prefix."""
    flat = {
        name if name.split("_")[0] in ("quality", "sample", "features", "seed") else f"data_{name}": value for name, value in config.items()
    }
    given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in flat.items() if value is not None}
    return TrainingConfig.from_hyperparameters(given)


@pytest.fixture
def extract_files(tmp_path: Path) -> Extract:
    """A function that writes {"channel/path": content} and extracts the channels, with keywords as the configuration."""

    def run(files: Mapping[str, Content], **config: object) -> Dataset:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        channels = {name.split("/")[0]: tmp_path / name.split("/")[0] for name in files}
        return extract(channels, settings(**config))

    return run

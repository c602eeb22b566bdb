"""Channels written into a temporary folder."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from training.data.config import DataConfig
from training.data.dataset import Dataset
from training.data.extract import extract

Content = str | bytes
Extract = Callable[..., Dataset]


@pytest.fixture
def extract_files(tmp_path: Path) -> Extract:
    """A function that writes {"channel/path": content} and extracts the channels, with keywords as the configuration."""

    def run(files: Mapping[str, Content], **config: object) -> Dataset:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        channels = {name.split("/")[0]: tmp_path / name.split("/")[0] for name in files}
        return extract(channels, DataConfig(**config))  # type: ignore[arg-type]

    return run

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from container.serve import child_environment
from container.serving.settings import Settings, StartError
from container.serving.workspace import workspace, write_model_shim, write_properties


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path: that of a socket in it may have 107 bytes, and those of pytest can be longer than what is left of it."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        yield Path(folder)


def properties(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text(encoding="ascii").splitlines())


def test_the_directory_is_private_and_goes_away(short: Path) -> None:
    with workspace({"TMPDIR": str(short)}) as directory:
        assert directory.parent == short
        assert directory.stat().st_mode & 0o777 == 0o700
        write_properties(directory, Settings.from_environment({}), write_model_shim(directory))
    assert list(short.iterdir()) == []


def test_two_servers_have_two_directories(short: Path) -> None:
    with workspace({"TMPDIR": str(short)}) as one, workspace({"TMPDIR": str(short)}) as two:
        assert one != two


def test_where_nothing_can_be_written_the_error_says_so(short: Path) -> None:
    with pytest.raises(StartError, match=r"can't write in .*/nowhere .*TMPDIR"), workspace({"TMPDIR": f"{short}/nowhere"}):
        pass


def test_a_path_too_long_for_a_socket_is_not_used(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 80)
    long.mkdir()
    with workspace({"TMPDIR": str(long)}) as directory:
        assert directory.parent == Path("/tmp")


def test_multi_model_server_sees_a_model_of_ours_only(tmp_path: Path) -> None:
    store = write_model_shim(tmp_path)
    assert [path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()] == ["model/MAR-INF/MANIFEST.json"]
    manifest = json.loads((store / "model" / "MAR-INF" / "MANIFEST.json").read_text())
    assert manifest["model"] == {"modelName": "model", "handler": "container.serving.handler:handle"}


def test_the_limits_reach_multi_model_server_in_its_units(tmp_path: Path) -> None:
    settings = Settings.from_environment({"SAGEMAKER_MODEL_SERVER_TIMEOUT": "30", "MMS_JOB_QUEUE_SIZE": "5"})
    values = properties(write_properties(tmp_path, settings, tmp_path))
    assert values["default_response_timeout_seconds"] == "30"  # without "_seconds" it would mean minutes
    assert "default_response_timeout" not in values
    assert values["job_queue_size"] == "5"
    assert values["max_request_size"] == "6291456"
    assert int(values["max_response_size"]) > settings.max_response


def test_there_is_no_second_address_to_manage_models(tmp_path: Path) -> None:
    values = properties(write_properties(tmp_path, Settings.from_environment({}), tmp_path))
    assert values["inference_address"] == values["management_address"]


def test_paths_that_java_would_misread_are_escaped(tmp_path: Path) -> None:
    strange = tmp_path / "č\\😀"
    values = properties(write_properties(tmp_path, Settings.from_environment({}), strange))
    assert values["model_store"] == f"{tmp_path}/\\u010d\\\\\\ud83d\\ude00"


def test_workers_are_forked_whatever_python_does_by_itself() -> None:
    """multi-model-server needs it, and Python 3.14 no longer does it unless told."""
    ask = "import multiprocessing, sys; print(multiprocessing.get_start_method(allow_none=True))"
    environment = child_environment({"PATH": os.environ["PATH"]})
    assert subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True).stdout == "fork\n"

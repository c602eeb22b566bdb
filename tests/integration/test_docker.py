"""The image, as SageMaker runs it and more strictly: another user, a read-only root, no capabilities, no network where none is needed."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.build_and_push import ROOT
from tests.integration.containers import STRICT, Container, docker, make_base, serving

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1500)]

QUICK = {"als_factors": "16", "split_min_listener_items": "3"}
STOP_SECONDS = 30  # between SIGTERM and SIGKILL, when SageMaker stops a server


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset") / "data"  # pytest keeps its own folders to itself
    command = [str(ROOT / "scripts" / "make_dataset"), str(folder), "--songs", "300", "--listeners", "200", "--events-per-listener", "20"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@dataclass(frozen=True)
class Trained:
    base: Path
    log: str


@pytest.fixture(scope="module")
def trained(image: str, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    base = make_base(tmp_path_factory.mktemp("ml") / "ml", data, QUICK)
    finished = docker("run", "--rm", *STRICT, "--network", "none", "-v", f"{base}:/opt/ml", image, "train", check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return Trained(base, finished.stdout + finished.stderr)


@pytest.fixture(scope="module")
def server(image: str, trained: Trained) -> Iterator[Container]:
    """A server with the memory of the smallest serverless endpoint."""
    with serving(image, trained.base, "--memory", "1g") as container:
        container.wait_until_healthy()
        yield container


@pytest.fixture(scope="module")
def listener(data: Path) -> str:
    first = next((data / "interactions").iterdir()).read_text(encoding="utf-8").splitlines()[1]
    return first.split(",")[0]


@pytest.fixture(scope="module")
def songs(server: Container, listener: str) -> list[str]:
    """Ids of songs of the catalogue, as the model itself names them."""
    return [one["item_id"] for one in server.json({"user_id": listener, "num_recommendations": 5})["recommendations"]]


def test_the_labels_tell_the_platform_what_is_true(image: str) -> None:
    labels = json.loads(docker("inspect", "--format", "{{json .Config.Labels}}", image).stdout)
    assert labels["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"
    assert labels["com.amazonaws.sagemaker.capabilities.multi-models"] == "true"


@pytest.mark.parametrize("user", ["0:0", "12345:12345"])
def test_the_commands_that_the_platform_starts_are_on_the_path(image: str, user: str) -> None:
    found = docker("run", "--rm", "--user", user, image, "bash", "-c", "command -v train serve python3 java").stdout.split()
    assert found == ["/opt/program/container/bin/train", "/opt/program/container/bin/serve", "/opt/venv/bin/python3", "/opt/java/bin/java"]


def test_nothing_that_builds_or_installs_is_left_in_the_image(image: str) -> None:
    tools = "pip pip3 pip3.11 gcc g++ cc c++ ld make javac jlink git curl wget"
    script = f"for tool in {tools}; do command -v $tool; done; python3 -c 'import pip' 2>&1; ls /var/lib/apt/lists; true"
    assert docker("run", "--rm", image, "bash", "-c", script).stdout.splitlines()[-1].startswith("ModuleNotFoundError")
    assert not [line for line in docker("run", "--rm", image, "bash", "-c", script).stdout.splitlines() if line.startswith("/")]


def test_the_program_is_all_that_was_copied_and_it_is_compiled(image: str) -> None:
    assert docker("run", "--rm", image, "ls", "/opt/program").stdout.split() == ["container", "inference", "training"]
    script = "find /opt/program -name '*.py' | wc -l; find /opt/program -name '*.pyc' | wc -l; find /opt/program -name 'test*'"
    sources, compiled, *tests = docker("run", "--rm", image, "bash", "-c", script).stdout.split()
    assert int(sources) == int(compiled) > 20
    assert tests == []


def test_training_leaves_a_model_a_report_and_metric_lines(trained: Trained) -> None:
    document = json.loads((trained.base / "model" / "model.json").read_text(encoding="utf-8"))
    assert document
    assert not list((trained.base / "model").rglob("*.pkl"))
    assert (trained.base / "output" / "data" / "evaluation.json").is_file()
    assert not (trained.base / "output" / "failure").exists()
    assert "holdout:hybrid:recall_at_20=" in trained.log


def test_training_works_as_root_too(image: str, data: Path, tmp_path: Path) -> None:
    base = make_base(tmp_path / "ml", data, {"models": "popularity"})
    docker("run", "--rm", "--network", "none", "-v", f"{base}:/opt/ml", image, "train")
    assert (base / "model" / "model.json").is_file()


def test_wrong_hyperparameters_end_training_with_2_and_say_so_in_the_failure_file(image: str, data: Path, tmp_path: Path) -> None:
    base = make_base(tmp_path / "ml", data, {"sead": "7", "models": "easy"})
    finished = docker("run", "--rm", *STRICT, "--network", "none", "-v", f"{base}:/opt/ml", image, "train", check=False)
    assert finished.returncode == 2
    failure = (base / "output" / "failure").read_text(encoding="utf-8")
    assert "sead" in failure
    assert "models" in failure
    assert "Traceback" not in finished.stdout + finished.stderr


def test_a_stopped_training_ends_soon_and_leaves_no_half_model(image: str, data: Path, tmp_path: Path) -> None:
    base = make_base(tmp_path / "ml", data, {"models": "als", "als_factors": "1024", "als_iterations": "200", "threads": "1"})
    name = f"music-recommender-test-{uuid.uuid4().hex[:8]}"
    docker("run", "-d", "--name", name, *STRICT, "--network", "none", "-v", f"{base}:/opt/ml", image, "train")
    try:
        deadline = time.monotonic() + 60
        while "event=split" not in docker("logs", name).stderr + docker("logs", name).stdout and time.monotonic() < deadline:
            time.sleep(0.1)
        start = time.monotonic()
        docker("stop", "-t", "60", name)
        assert time.monotonic() - start < 30
        code = int(docker("inspect", "--format", "{{.State.ExitCode}}", name).stdout)
        assert code == 143, docker("logs", name).stderr
        assert not (base / "model" / "model.json").exists()
    finally:
        docker("rm", "-f", name)


def test_a_known_listener_gets_songs_and_exact_reasons(server: Container, listener: str) -> None:
    answer = server.json({"user_id": listener, "num_recommendations": 7, "explain": True})
    assert (answer["user_id"], answer["status"], len(answer["recommendations"])) == (listener, "success", 7)
    scores = [one["score"] for one in answer["recommendations"]]
    assert scores == sorted(scores, reverse=True)
    assert all(one["reasons"] for one in answer["recommendations"])


def test_a_new_listener_who_played_three_songs_is_answered(server: Container, songs: list[str]) -> None:
    answer = server.json({"user_id": "nobody knows me", "events": [{"item_id": song, "event_type": "play"} for song in songs[:3]]})
    recommended = [one["item_id"] for one in answer["recommendations"]]
    assert len(recommended) == 10
    assert not set(recommended) & set(songs[:3])


def test_similar_songs_are_found_and_are_not_the_song_itself(server: Container, songs: list[str]) -> None:
    answer = server.json({"items": songs[:1], "num_recommendations": 4})
    recommended = [one["item_id"] for one in answer["recommendations"]]
    assert len(recommended) == 4
    assert songs[0] not in recommended


def test_a_batch_of_json_lines_is_answered_line_by_line_a_bad_line_too(server: Container, listener: str) -> None:
    lines = [json.dumps({"user_id": listener}), '{"user_id": ', json.dumps({"user_id": "nobody"})]
    status, body = server.ask("\n".join(lines).encode(), "application/jsonlines")
    first, second, third = (json.loads(line) for line in body.splitlines())
    assert status == 200
    assert (first["status"], second["status"], third["status"]) == ("success", "error", "success")
    assert third["fallback"] == "popularity"


def test_csv_in_is_csv_out_a_row_for_each(server: Container, listener: str) -> None:
    status, body = server.ask(f"{listener}\nnobody\n".encode(), "text/csv")
    rows = body.decode().splitlines()
    assert status == 200
    assert [row.split(",")[0] for row in rows] == [listener, "nobody"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{not json", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"{}", "application/json", 422),
        (b'{"user": "u"}', "application/json", 422),
        (b"x", "image/png", 415),
        (b"x" * (7 * 1024 * 1024), "application/json", 413),
    ],
)
def test_bad_input_is_refused_in_json_and_the_server_lives_on(server: Container, body: bytes, content_type: str, status: int) -> None:
    answered, said = server.ask(body, content_type)
    assert answered == status
    error = json.loads(said)
    assert error["status"] == "error"
    assert error["error"]["message"]
    assert b"Traceback" not in said
    assert server.ask(None, path="/ping")[0] == 200


def test_batch_transform_is_told_what_the_server_can_take(server: Container) -> None:
    status, body = server.ask(None, path="/execution-parameters")
    assert status == 200
    assert json.loads(body)["BatchStrategy"] == "SINGLE_RECORD"


def test_the_server_takes_the_port_it_is_given_is_soon_healthy_and_stops_with_0(image: str, trained: Trained) -> None:
    with serving(image, trained.base, "-e", "SAGEMAKER_BIND_TO_PORT=9123", port=9123) as container:
        assert container.wait_until_healthy() < 20
        start = time.monotonic()
        docker("stop", "-t", str(STOP_SECONDS), container.name)
        assert time.monotonic() - start < STOP_SECONDS - 1
        assert container.exit_code() == 0


def test_a_missing_model_ends_the_server_with_one_clear_line(image: str, tmp_path: Path) -> None:
    (tmp_path / "ml").mkdir()
    finished = docker("run", "--rm", *STRICT, "-v", f"{tmp_path / 'ml'}:/opt/ml:ro", image, "serve", check=False)
    assert finished.returncode not in (0, 1)
    (line,) = (finished.stdout + finished.stderr).strip().splitlines()
    assert "/opt/ml/model" in line

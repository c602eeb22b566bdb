"""A multi-model endpoint: real multi-model-server, loading, unloading and invoking models as the platform does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts.server_processes import alive
from tests.integration.many_models import MULTI, error, invoke, invoke_in_every_worker, load
from tests.integration.serving import JSON, KNOWN, Server, make_model, serving


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("ml")
    for number in range(3):
        make_model(parent / "models" / f"m{number}" / "model", songs=40 + number)
    broken = make_model(parent / "models" / "broken" / "model") / "items.blob.npy"
    broken.write_bytes(broken.read_bytes()[:-1] + b"?")
    (parent / "models" / "empty" / "model").mkdir(parents=True)
    make_model(parent / "outside" / "model")
    (parent / "models" / "link").symlink_to(parent / "outside")
    return parent


@pytest.fixture(scope="module")
def endpoint(parent: Path) -> Iterator[Server]:
    with serving(parent, **MULTI) as server:
        yield server.wait_until_healthy()


@pytest.fixture
def server(endpoint: Server) -> Iterator[Server]:
    """The endpoint without any model, before and after."""
    workers = endpoint.workers()
    yield endpoint
    for model in endpoint.request("GET", "/models").json()["models"]:
        assert endpoint.request("DELETE", f"/models/{model['modelName']}").status == 200
    assert endpoint.workers() == workers
    assert "Traceback" not in endpoint.log()


def mapped_by(server: Server, folder: Path) -> set[int]:
    """Returns the workers that have a file of this folder in their memory."""
    return {worker for worker in server.workers() if str(folder) in Path(f"/proc/{worker}/maps").read_text()}


def test_it_starts_healthy_without_any_model(server: Server) -> None:
    assert server.ping() == 200
    assert server.request("GET", "/models").json() == {"models": []}


def test_a_model_lives_from_load_to_unload(server: Server, parent: Path) -> None:
    loaded = load(server, parent, "m0")
    assert loaded.status == 200
    version = loaded.json()["modelVersion"]
    described = server.request("GET", "/models/m0").json()
    assert (described["modelName"], described["modelUrl"]) == ("m0", str(parent / "models/m0/model"))
    answer = invoke(server, "m0")
    assert (answer.status, answer.json()["model_version"]) == (200, version)
    assert error(load(server, parent, "m0")) == (409, "model_already_loaded")
    assert server.request("DELETE", "/models/m0").status == 200
    assert error(invoke(server, "m0")) == (404, "model_not_loaded")
    assert error(server.request("GET", "/models/m0")) == (404, "model_not_loaded")
    assert error(server.request("DELETE", "/models/m0")) == (404, "model_not_loaded")
    assert load(server, parent, "m0").status == 200


def test_each_model_answers_for_itself_however_requests_are_mixed(server: Server, parent: Path) -> None:
    versions = {name: load(server, parent, name).json()["modelVersion"] for name in ("m0", "m1", "m2")}
    assert len(set(versions.values())) == 3
    names = [*versions] * 30
    with ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(lambda name: invoke(server, name).json()["model_version"], names))
    assert answers == [versions[name] for name in names]


def test_the_list_comes_in_pages_and_skips_nothing_when_a_model_goes_in_between(server: Server, parent: Path) -> None:
    for name in ("m0", "m1", "m2"):
        load(server, parent, name)
    first = server.request("GET", "/models?limit=1").json()
    assert [model["modelName"] for model in first["models"]] == ["m0"]
    server.request("DELETE", "/models/m0")
    second = server.request("GET", f"/models?limit=1&next_page_token={first['nextPageToken']}").json()
    assert [model["modelName"] for model in second["models"]] == ["m1"]
    last = server.request("GET", f"/models?limit=5&next_page_token={second['nextPageToken']}").json()
    assert [model["modelName"] for model in last["models"]] == ["m2"]
    assert "nextPageToken" not in last
    assert error(server.request("GET", "/models?limit=0")) == (400, "invalid_limit")
    assert error(server.request("GET", "/models?limit=all")) == (400, "invalid_limit")


def test_a_broken_model_is_refused_by_the_name_of_its_file_and_the_others_go_on(server: Server, parent: Path) -> None:
    load(server, parent, "m0")
    refused = load(server, parent, "broken")
    assert error(refused) == (422, "broken_model")
    assert "items.blob.npy" in refused.json()["error"]["message"]
    assert error(load(server, parent, "empty")) == (422, "broken_model")
    assert error(invoke(server, "broken")) == (404, "model_not_loaded")
    assert invoke(server, "m0").status == 200


@pytest.mark.parametrize("name", ["../m0", "..", "a/b", "/etc", "", " ", "m0\n", "ž", "x" * 257, ".hidden"])
def test_a_name_that_could_be_a_path_is_no_name(server: Server, parent: Path, name: str) -> None:
    assert error(load(server, parent, name, "m0")) == (422, "invalid_model_name")


@pytest.mark.parametrize(
    "url", ["/etc", "../outside/model", "link/model", "m0/../../outside/model", "", ".", "nowhere", "\x00", "m0/model/model.json"]
)
def test_no_url_leads_out_of_the_folder_of_all_models(server: Server, url: str) -> None:
    assert error(server.post("/models", {"model_name": "m", "url": url})) == (422, "invalid_url")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"model_name": "m"}', b'{"model_name": 1, "url": "m0"}', b'{"model_name": "m", "url": {}}']
)
def test_a_body_that_names_no_model_is_malformed(server: Server, body: bytes) -> None:
    assert error(server.request("POST", "/models", body, JSON)) == (400, "malformed_json")


@pytest.mark.parametrize("path", ["/models/", "/models/m0/", "/models/m0/invoke/x", "/models/%2e%2e/invoke", "/models//invoke", "/modelsx"])
def test_other_paths_below_models_are_404(server: Server, path: str) -> None:
    assert server.request("POST" if path.endswith("invoke") else "GET", path).status == 404


def test_wrong_methods_are_405(server: Server) -> None:
    for method, path in (("PUT", "/models"), ("POST", "/models/m0"), ("GET", "/models/m0/invoke")):
        assert error(server.request(method, path)) == (405, "method_not_allowed")


def test_a_caller_without_the_platform_names_the_model_in_the_header_of_the_platform(server: Server, parent: Path) -> None:
    load(server, parent, "m1")
    assert server.invoke(KNOWN, JSON | {"X-Amzn-SageMaker-Target-Model": "m1"}).status == 200
    assert error(server.invoke(KNOWN, JSON | {"X-Amzn-SageMaker-Target-Model": "m2"})) == (404, "model_not_loaded")
    assert error(server.invoke(KNOWN)) == (400, "no_target_model")


def test_when_unloading_is_answered_no_worker_has_the_model_any_longer(server: Server, parent: Path) -> None:
    load(server, parent, "m0")
    invoke_in_every_worker(server, "m0")
    assert mapped_by(server, parent / "models/m0") == set(server.workers())
    assert server.request("DELETE", "/models/m0").status == 200
    assert mapped_by(server, parent / "models/m0") == set()


def test_a_request_inside_is_answered_before_its_model_goes(server: Server, parent: Path) -> None:
    load(server, parent, "m0")
    with ThreadPoolExecutor(2) as callers:
        for worker in server.workers():
            os.kill(worker, signal.SIGSTOP)
        answer = callers.submit(invoke, server, "m0")
        time.sleep(0.2)
        gone = callers.submit(server.request, "DELETE", "/models/m0")
        time.sleep(0.2)
        assert error(invoke(server, "m0")) == (404, "model_not_loaded")
        assert not gone.done()
        for worker in server.workers():
            os.kill(worker, signal.SIGCONT)
        assert (answer.result().status, gone.result().status) == (200, 200)


def test_a_model_whose_worker_was_killed_can_be_unloaded_and_the_others_answer(parent: Path) -> None:
    with serving(parent, **MULTI, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        server.wait_until_healthy()
        for name in ("m0", "m1"):
            assert load(server, parent, name).status == 200
            assert invoke(server, name).status == 200
        os.kill(server.workers()[0], signal.SIGKILL)
        start = time.monotonic()
        assert server.request("DELETE", "/models/m0").status == 200
        assert time.monotonic() - start < 4
        assert server.wait_until_healthy().post("/models/m1/invoke", KNOWN).status == 200


def test_on_sigterm_a_load_that_has_begun_is_answered(parent: Path) -> None:
    with serving(parent, **MULTI) as server, ThreadPoolExecutor(1) as callers:
        family = server.wait_until_healthy().processes()
        answer = callers.submit(load, server, parent, "m0")
        time.sleep(0.1)
        server.process.terminate()
        assert answer.result().status == 200
        assert server.process.wait(5) == 0
        assert alive(family) == []


def test_a_wrong_accept_is_refused_at_the_start_in_this_mode_too(parent: Path, tmp_path: Path) -> None:
    with serving(parent, **MULTI, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/cvs") as server:
        assert server.process.wait(10) == 2
        assert "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT='text/cvs' is not one of" in server.log()

"""The life of models on a multi-model endpoint."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.answers import error_message, read_json, settled
from tests.conformance.conftest import Serving
from tests.conformance.container import FREE, Conditions, Container
from tests.conformance.kept import Kept
from tests.conformance.load import at_once
from tests.conformance.models import Models
from tests.conformance.processes import held_files, memory
from tests.conformance.server import Server
from tests.conformance.subject_folder import Subject

MULTI_MODEL = {"SAGEMAKER_MULTI_MODEL": "true"}
HASH, LONG = "3f" * 32, "long-name." * 20
NAMES = ("a", "b", "c", "d", "e", HASH, LONG)
ODD_NAMES = {
    "dots": "..",
    "path": "../a",
    "escaped-path": "..%2fa",
    "way-round": "a/../a",
    "escaped-dots": "%2e%2e",
    "empty": "",
    "newline": "a\n",
    "zero": "a\0",
    "endless": "x" * 5000,
}
LOADS_OF_NOTHING = (b"", b"{", b"[]", b"{}", b'{"model_name": "a"}', b'{"url": "/opt/ml/models/a/model"}', b'{"model_name": 1, "url": 2}')
READ_ONLY = Conditions(read_only=True)
MEGABYTE, MEMORY_MB = 1024 * 1024, 1024


@pytest.fixture(scope="module")
def base(subject: Subject, served: Callable[..., Path]) -> Iterator[Path]:
    if not subject.serving.get("multi_model"):
        pytest.skip("subject.json: no multi_model")
    made = served(models=NAMES, model=False)
    broken = made / "models" / "broken"
    shutil.copytree(made / "models" / "a", broken)
    for file in [path for path in broken.rglob("*") if path.is_file()]:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    (made / "models" / "empty" / "model").mkdir(parents=True)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def _endpoint(serving: Serving, container: Container, base: Path) -> Iterator[Kept]:
    """On read-only disks, as the platform's folder of models is, where this machine can have them."""
    with Kept(serving, MULTI_MODEL, base=base, conditions=FREE if container.unable(READ_ONLY) else READ_ONLY) as kept:
        yield kept


@pytest.fixture
def models(_endpoint: Kept) -> Models:
    """Those of an endpoint that has none loaded."""
    found = Models(_endpoint.server())
    found.unload_all()
    return found


@pytest.mark.contract("B4", "GET /ping is 200, and GET /models an empty list, while no model is loaded")
def test_it_is_healthy_without_any_model(models: Models) -> None:
    assert models.server.ping() == 200
    assert models.names() == [[]]


@pytest.mark.contract("B4", "POST, GET, invoke, DELETE /models: 200 while loaded, 404 before and after; a second load is 409")
@pytest.mark.parametrize("name", ["a", HASH, LONG], ids=["short", "hash", "long"])
def test_a_model_lives_from_load_to_unload(models: Models, server: Server, subject: Subject, name: str) -> None:
    body = subject.requests[0]
    assert [models.get(name).status, models.unload(name).status, models.invoke(name, body).status] == [404, 404, 404]
    assert models.load(name).status == 200
    assert models.get(name).status == 200
    assert name in str(read_json(models.get(name).body))
    assert models.names() == [[name]]
    assert models.load(name).status == 409
    for one in subject.requests:
        assert settled(models.invoke(name, one, "some/key.tar.gz"), subject) == settled(server.invoke(one), subject), str(one)
    assert models.unload(name).status == 200
    assert [models.get(name).status, models.unload(name).status, models.invoke(name, body).status] == [404, 404, 404]
    assert models.load(name).status == 200, "what was unloaded can be loaded again"


@pytest.mark.contract("B4", "Bad requests to a model are refused as on an endpoint of one model")
def test_bad_requests_to_a_model_are_refused(models: Models, server: Server, subject: Subject) -> None:
    models.load("a")
    for body in subject.bad_requests:
        assert models.invoke("a", body).status == server.invoke(body).status, str(body)


@pytest.mark.contract("B4", "GET /models in pages (limit, next_page_token) lists each model once")
def test_the_list_in_pages_has_each_model_once(models: Models) -> None:
    assert {answer.status for answer in at_once(models.load, "abcde")} == {200}
    for limit in (1, 2, 3, 5, 100):
        pages = models.names(limit)
        assert max(map(len, pages)) <= limit
        assert sorted(name for page in pages for name in page) == list("abcde")


@pytest.mark.contract("B4", "Models can be loaded at once, beside requests to others, which are all answered")
def test_loads_at_once_disturb_nobody(models: Models, subject: Subject) -> None:
    body = subject.requests[0]
    models.load("a")
    steps: list[Callable[[], int]] = [lambda name=name: models.load(name).status for name in "bcde"]  # type: ignore[misc]
    steps += [lambda: models.invoke("a", body).status] * 20
    assert set(at_once(lambda step: step(), steps, 8)) == {200}
    assert set(at_once(lambda name: models.invoke(name, body).status, list("abcde") * 4)) == {200}


@pytest.mark.contract("B4", "A model that is broken, empty or not there is refused with a reason, is not listed, and the others go on")
@pytest.mark.parametrize("name", ["broken", "empty", "nowhere"])
def test_a_broken_model_is_refused_and_the_others_go_on(models: Models, subject: Subject, name: str) -> None:
    models.load("a")
    answer = models.load(name)
    assert answer.status >= 400, answer
    assert answer.status != 409, answer
    assert error_message(read_json(answer.body), subject)
    assert models.names() == [["a"]]
    assert models.get(name).status == 404
    assert models.invoke("a", subject.requests[0]).status == 200
    assert models.server.ping() == 200


@pytest.mark.contract("B4", "A name or a body that makes no sense is refused, loads nothing and hurts nobody")
@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES)
def test_an_odd_name_hurts_nobody(models: Models, subject: Subject, name: str) -> None:
    models.load("a")
    assert 400 <= models.get(name).status < 500 or name == ""  # an empty name makes it the list
    assert 400 <= models.unload(name).status < 500
    assert 400 <= models.invoke(name, subject.requests[0]).status < 500
    assert models.load(name, models.url("nowhere")).status >= 400
    assert models.names() == [["a"]]
    assert models.invoke("a", subject.requests[0]).status == 200


@pytest.mark.contract("B4", "A body of POST /models that names no model is refused")
@pytest.mark.parametrize("content", LOADS_OF_NOTHING, ids=lambda content: content.decode() or "nothing")
def test_a_load_that_names_no_model_is_refused(models: Models, content: bytes) -> None:
    assert 400 <= models.server.ask("POST", "/models", content, {"Content-Type": "application/json"}).status < 500
    assert models.names() == [[]]


def load_and_unload(models: Models, subject: Subject, times: int) -> None:
    """Loads and unloads a model again and again; what that takes, and holds, must not grow after the first rounds."""
    models.load("a")
    body, before = subject.requests[0], 0
    for turn in range(times):
        if turn == 5:
            before = memory(models.server.run.processes())
        assert models.load("b").status == 200
        assert {answer.status for answer in at_once(lambda _: models.invoke("b", body), range(8))} == {200}
        assert models.unload("b").status == 200
        assert held_files(models.server.run.processes(), f"{models.server.inside}/models/b") == set()
    after = memory(models.server.run.processes())
    assert after < before * 1.1 + 4 * MEGABYTE, f"from {before // MEGABYTE} to {after // MEGABYTE} MB"
    assert models.invoke("a", body).status == 200


@pytest.mark.contract("B4", "20 loads and unloads take no memory, and what was unloaded is held by nobody once DELETE is answered")
def test_loads_and_unloads_take_nothing(models: Models, subject: Subject) -> None:
    load_and_unload(models, subject, 20)


@pytest.mark.slow
@pytest.mark.contract("B4", "50 loads and unloads take no memory")
def test_many_loads_and_unloads_take_nothing(models: Models, subject: Subject) -> None:
    load_and_unload(models, subject, 50)


@pytest.mark.contract("B4", "The folder of the models may be read-only: nothing is written beside a model")
def test_models_on_a_read_only_disk_can_be_loaded(models: Models, container: Container, base: Path, subject: Subject) -> None:
    if reason := container.unable(READ_ONLY):
        pytest.skip(reason)
    assert models.load("a").status == 200
    assert models.invoke("a", subject.requests[0]).status == 200
    copy, first = base / "models" / "b", base / "models" / "a"
    assert sorted(path.relative_to(copy) for path in copy.rglob("*")) == sorted(path.relative_to(first) for path in first.rglob("*"))


@pytest.mark.contract("B4", "A model that does not fit into the container's memory is 507, the kernel kills nothing, and the others go on")
def test_a_model_that_does_not_fit_is_507(serving: Serving, base: Path, subject: Subject) -> None:
    if not (large := subject.serving.get("fills_memory")):
        pytest.skip("subject.json: no fills_memory")
    model = base / "models" / "large" / "model"
    shutil.copytree(base / "models" / "a" / "model", model)
    with (model / large).open("ab") as file:
        file.truncate(4 * MEMORY_MB * MEGABYTE)  # zeros that take no room on the disk
    with serving(MULTI_MODEL, base=base, conditions=Conditions(memory_mb=MEMORY_MB)) as server:
        models = Models(server)
        assert models.load("a").status == 200
        assert models.load("large").status == 507
        assert models.names() == [["a"]]
        assert models.invoke("a", subject.requests[0]).status == 200
        assert server.ping() == 200

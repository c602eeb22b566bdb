"""A multi-model endpoint refuses a model that does not fit, before the kernel ends anything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.many_models import MULTI, error, invoke, invoke_in_every_worker, load
from tests.integration.memory_group import memory_group
from tests.integration.serving import Server, make_model, serving


def make_large_models(parent: Path, count: int) -> None:
    """Makes models of 33 MB each."""
    first = make_model(parent / "models" / "m0" / "model", songs=20_000, neighbours=200)
    for number in range(1, count):
        shutil.copytree(first, parent / "models" / f"m{number}" / "model")


def load_until_refused(server: Server, parent: Path, count: int) -> list[str]:
    """Loads and invokes models until one does not fit; returns the names of those that did."""
    for number in range(count):
        response = load(server, parent, f"m{number}")
        if response.status != 200:
            assert error(response) == (507, "out_of_memory")
            assert "The model needs " in response.json()["error"]["message"]
            return [f"m{n}" for n in range(number)]
        invoke_in_every_worker(server, f"m{number}")
    pytest.fail("all models were let in")


def test_a_model_that_does_not_fit_is_507_and_fits_when_another_is_gone(tmp_path: Path) -> None:
    make_large_models(tmp_path, 6)
    with serving(tmp_path, **MULTI, SERVING_MEMORY_LIMIT_MB="350") as server:
        names = load_until_refused(server.wait_until_healthy(), tmp_path, 6)
        assert len(names) > 1
        assert {invoke(server, name).status for name in names} == {200}
        assert server.request("DELETE", f"/models/{names[0]}").status == 200
        assert load(server, tmp_path, f"m{len(names)}").status == 200


def test_in_a_container_with_little_memory_the_kernel_kills_nothing(tmp_path: Path) -> None:
    make_large_models(tmp_path, 10)
    with memory_group(448) as group:
        into_group = ("sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$0" "$@"')
        with serving(tmp_path, into_group, **MULTI) as server:
            family = server.wait_until_healthy().processes()
            names = load_until_refused(server, tmp_path, 10)
            assert len(names) > 1
            for _ in range(3):
                assert {invoke(server, name).status for name in names} == {200}
            assert server.processes() == family
            events = group / "memory.oom_control" if (group / "memory.oom_control").exists() else group / "memory.events"
            assert "oom_kill 0" in events.read_text().splitlines()

"""scripts/audit: the bill of materials is whole and valid, and silence of the service is not taken for good news."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.validation.json import JsonStrictValidator

from container.serving.java_runtime import server_jar
from scripts import audit
from scripts.bill_of_materials import JAR_SHA256, SCHEMA, java_libraries
from tests.test_lock_files import REQUIREMENTS, locked


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("bill") / "bom.json"
    assert audit.main(["--sbom", str(path), "--offline"]) == 0
    text = path.read_text(encoding="utf-8")
    assert JsonStrictValidator(SCHEMA).validate_str(text) is None
    return dict(json.loads(text))


def test_every_locked_package_is_in_the_bill_with_its_version_and_all_its_hashes(bill: dict[str, Any]) -> None:
    expected = {(name, line.split(" ; ")[0].strip()) for name, lines in locked("image").items() for line in lines}
    assert {(one["name"], one["version"]) for one in bill["components"]} == expected
    hashes = {one["content"] for component in bill["components"] for one in component["hashes"]}
    text = (REQUIREMENTS / "image.txt").read_text(encoding="utf-8")
    assert hashes == {word.removeprefix("--hash=sha256:") for word in text.split() if word.startswith("--hash=")}
    assert all(one["hashes"] for one in bill["components"])


def test_what_linux_never_installs_is_marked_so(bill: dict[str, Any]) -> None:
    assert {one["name"] for one in bill["components"] if one["scope"] == "excluded"} == {"colorama", "tzdata"}


def test_the_libraries_in_multi_model_servers_jar_are_in_the_bill(bill: dict[str, Any]) -> None:
    [server] = [one for one in bill["components"] if one["name"] == "multi-model-server"]
    [jar] = server["components"]
    inside = {one["name"]: one["version"] for one in jar["components"]}
    assert inside.items() >= {"netty-codec-http": "4.1.91.Final", "gson": "2.8.9", "log4j-core": "2.17.1", "commons-io": "2.6"}.items()
    assert len(inside) > 20


def test_the_jar_is_the_one_whose_libraries_were_looked_up() -> None:
    assert hashlib.sha256(server_jar().read_bytes()).hexdigest() == JAR_SHA256


def test_a_library_that_nobody_knows_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "server.jar", "w") as jar:
        jar.writestr("com/google/gson/Gson.class", b"")
        jar.writestr("org/unheard/of/It.class", b"")
    with pytest.raises(ValueError, match=r"org/unheard/of/It\.class"):
        list(java_libraries(tmp_path / "server.jar"))


@pytest.mark.parametrize(
    ("dependencies", "code", "says"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "nothing is known against the 1 packages"),
        ([{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}], 1, "a 1: CVE-1 (fixed in 2)"),
        ([{"name": "a", "skip_reason": "not found"}, {"name": "b", "version": "1", "vulns": []}], 3, "no answer about 1 of 2 packages: a"),
        ([], 3, "could not ask"),
    ],
)
def test_only_an_answer_about_every_package_is_good_news(
    dependencies: list[Any], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.judge(dependencies) == code
    said = capsys.readouterr()
    assert says in said.out + said.err

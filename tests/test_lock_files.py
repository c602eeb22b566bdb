"""The lock files say exactly what is installed: each package once per platform, with hashes, and nothing about where it comes from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
LOCKS = ("image", "dev", "peers", "peers_older", "peers_sansa", "peers_serving", "peers_serving_platforms", "sdk", "sdk3")


def asked_for(name: str) -> set[str]:
    """Returns the normalised names of the packages that an .in file asks for, those of the files it includes too."""
    names = set()
    for line in (REQUIREMENTS / f"{name}.in").read_text(encoding="utf-8").splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("-r "):
            names |= asked_for(text.removeprefix("-r ").strip().removesuffix(".in"))
        elif text:
            names.add(normalised(re.split(r"[\[<>=!~; ]", text)[0]))
    return names


def locked(name: str) -> dict[str, set[str]]:
    """Returns the locked ``version ; marker`` lines of each package."""
    entries: dict[str, set[str]] = {}
    for line in (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==(.+?) *\\?$", line):
            entries.setdefault(normalised(match[1]), set()).add(match[2])
    return entries


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_asked_for_is_locked(name: str) -> None:
    assert asked_for(name) - locked(name).keys() == set()


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(name: str) -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8"))
    packages = [block for block in blocks if not block.startswith("#")]
    assert len(packages) >= len(asked_for(name))
    assert [block.splitlines()[0] for block in packages if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_file_names_a_place_to_download_from(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|--index-url|--extra-index-url|--find-links|--trusted-host| @ ", text)


def test_what_is_developed_with_is_what_ships() -> None:
    development = locked("dev")
    assert {name: versions for name, versions in locked("image").items() if development.get(name) != versions} == {}

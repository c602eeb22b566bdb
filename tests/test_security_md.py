"""SECURITY.md names tests, and each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_test_that_is_named_exists_and_no_claim_of_a_table_is_without_one() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\btest_\w+", text))
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    assert named - there == set()
    tables = [section for section in text.split("\n## ") if "| test |" in section]
    rows = [row for section in tables for row in section.splitlines() if row.startswith("| ") and "| test |" not in row]
    assert len(rows) > 25
    assert [row for row in rows if "`test_" not in row] == []

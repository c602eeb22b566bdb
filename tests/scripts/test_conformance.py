"""`scripts/conformance` tries another container than ours: one that conforms passes, and one that breaks a rule fails in its row."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.conformance import FAILED, PASSED, SKIPPED, Row, as_markdown, as_text, read_report

ROOT = Path(__file__).resolve().parents[2]
MEAN = Path(__file__).parent / "mean_container"
# What is broken, and the test of the suite that has to see it.
BROKEN = {
    "keys": "test_what_the_platform_adds_changes_nothing",
    "hidden": "test_what_others_leave_beside_the_data_changes_nothing",
    "input": "test_what_others_leave_beside_the_data_changes_nothing",
    "gzip": "test_gzipped_files_are_read",
    "patience": "test_a_pipe_leads_to_the_model_of_the_files",
    "half": "test_a_killed_training_goes_on_to_the_same_model",
    "resume": "test_a_killed_training_goes_on_to_the_same_model",
    "clock": "test_values_may_be_written_in_several_ways",
    "metric": "test_every_metric_is_found_in_the_log",
    "failure": "test_each_mistake_in_the_hyperparameters_is_named_in_the_failure_file",
    "trace": "test_a_file_that_is_no_data_is_named",
    "term": "test_a_stopped_training_leaves_a_model_that_serves",
}


def conformance(broken: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = f"env BREAK={broken} {MEAN / 'bin'}/{{}}"
    words = [sys.executable, "-m", "scripts.conformance", "--command", command, "--folder", str(MEAN / "subject"), *more]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_small_container_of_other_people_conforms(tmp_path: Path) -> None:
    finished = conformance("", "--quick", "--output", str(tmp_path / "table.md"), "--", "-k", "training")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert " 0 failed, " in table
    assert "| A job whose checkpoints are complete only writes its model | `training.test_checkpoints" in table
    assert "skipped: the container trains on one host" in table


@pytest.mark.slow
@pytest.mark.parametrize(("broken", "test"), BROKEN.items())
def test_a_container_that_breaks_a_rule_fails_in_the_row_of_that_rule(broken: str, test: str) -> None:
    finished = conformance(broken, "--", "-k", test)
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert "  failed  " in finished.stdout
    assert "What nobody can verify without AWS" in finished.stdout


def test_a_suite_in_which_no_test_ran_has_not_passed() -> None:
    finished = conformance("", "--", "-k", "no_such_test")
    assert finished.returncode != 0
    assert "no test ran" in finished.stderr


def test_a_test_stands_for_all_its_rows_and_a_failed_one_for_none_is_shown(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        """<testsuites><testsuite>
        <testcase classname="tests.conformance.training.test_a" name="test_both"><properties>
          <property name="contract" value="A3: Pipe: read in order"/><property name="contract" value="A1: ends"/></properties>
          <skipped message="no engine | none"/></testcase>
        <testcase classname="tests.conformance.test_b" name="test_inner"/>
        <testcase classname="tests.conformance.test_b" name="test_bad"><failure message="assert 1 == 2"/></testcase>
        </testsuite></testsuites>"""
    )
    rows = read_report(report)
    assert rows == [
        Row("?", "", "test_b.test_bad", FAILED, "assert 1 == 2"),
        Row("A1", "ends", "training.test_a.test_both", SKIPPED, "no engine | none"),
        Row("A3", "Pipe: read in order", "training.test_a.test_both", SKIPPED, "no engine | none"),
    ]
    assert "  failed  test_b.test_bad\n          assert 1 == 2" in as_text(rows)
    assert "| Pipe: read in order | `training.test_a.test_both` | skipped: no engine \\| none |" in as_markdown(rows)
    assert "1 passed, 0 failed, 0 skipped" in as_text([Row("A1", "ends", "test", PASSED)])

"""The rows of serving on another container than ours: it passes them, and each mistake fails the rows that it should, and no others."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEAN = Path(__file__).parent / "mean_container"
CONTROLS = {"test_a_healthy_ping_has_status_200_and_an_empty_body", "test_every_request_is_answered_with_a_valid_body"}
FAILS = {
    "traceback": {
        "test_every_bad_request_is_refused_with_a_reason",
        "test_an_unknown_content_type_is_415",
        "test_an_accept_that_nobody_can_fulfil_is_406",
    },
    "exact-types": {
        "test_parameters_and_capitals_of_a_content_type_change_nothing",
        "test_the_answer_has_the_type_that_accept_asks_for",
        "test_q_values_of_accept_decide",
        "test_an_accept_that_nobody_can_fulfil_is_406",
    },
    "writes": {"test_nothing_is_written_beside_the_model"},
    "second-port": {"test_it_listens_on_the_port_that_it_is_told_and_on_none_outside_the_safe_range"},
    "one-bad-line": {"test_a_line_in_is_a_line_out", "test_a_bad_line_has_an_error_in_its_place"},
    "dies": {"test_a_body_over_the_limit_hurts_nobody"},
    "mixed-up": {"test_callers_at_once_get_each_their_own_answer"},
    "early-ping": {"test_no_ping_is_200_before_an_invocation_works", "test_a_server_that_cannot_answer_never_says_that_it_can"},
    "busy-ping": {"test_pings_and_connections_do_not_wait_for_work"},
    "no-drain": {"test_on_sigterm_what_is_at_hand_is_answered"},
    "deaf": {"test_on_sigterm_while_starting_it_ends"},
}
QUICK = ("traceback", "second-port")


def conformance(fault: str = "", tests: set[str] = frozenset()) -> tuple[set[str], set[str], str]:  # type: ignore[assignment]
    """Runs the rows of inference (or those tests of them) on the other container. Returns the tests that passed, those that did not,
    each without its parameters, and pytest's output."""
    command = f"env BREAK={fault} {MEAN / 'bin'}/{{}}"
    arguments = ["tests/conformance/inference", "--container-command", command, "--container-folder", str(MEAN / "subject")]
    arguments += ["-q", "-r", "fEp", "-p", "no:cacheprovider", "-m", "not slow", *(["-k", " or ".join(sorted(tests))] if tests else [])]
    finished = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    found: dict[str, set[str]] = {"PASSED": set(), "FAILED": set(), "ERROR": set()}
    for result, test in re.findall(r"^(PASSED|FAILED|ERROR) \S+::(\w+)", finished.stdout, re.MULTILINE):
        found[result].add(test)
    return found["PASSED"], found["FAILED"] | found["ERROR"], finished.stdout + finished.stderr


@pytest.mark.slow
def test_another_container_passes_all_rows_that_it_has() -> None:
    passed, failed, output = conformance()
    assert failed == set(), output
    assert set().union(*FAILS.values()) | CONTROLS <= passed, output


@pytest.mark.parametrize("fault", [fault if fault in QUICK else pytest.param(fault, marks=pytest.mark.slow) for fault in FAILS])
def test_a_fault_fails_its_rows_and_no_others(fault: str) -> None:
    passed, failed, output = conformance(fault, FAILS[fault] | CONTROLS)
    assert failed == FAILS[fault], output
    assert passed >= CONTROLS, output

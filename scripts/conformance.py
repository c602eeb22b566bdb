"""Holds a container to SageMaker's contract, without AWS, and prints row by row what was tested and how it went.

    scripts/conformance                                        the train and serve of this checkout
    scripts/conformance --command 'bin/{}' --folder FOLDER     another container: a command ({} is train or serve) and what to try it with
    scripts/conformance --image IMAGE --output table.md        an image in Docker; the table also as Markdown

Ends with 0 if nothing failed, 1 otherwise. What a machine cannot do (another user, a network of its own) is skipped, with the reason.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITE = "tests/conformance"
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
SECTIONS = {
    "A1": "how it is started and stopped",
    "A2": "files of /opt/ml/input/config",
    "A3": "channels and input modes",
    "A4": "outputs and checkpoints",
    "A5": "environment",
    "A6": "script mode",
    "A7": "metrics and tuning",
    "A8": "cluster, warm pools, isolation, user",
    "B1": "process and HTTP",
    "B2": "limits of payload and time",
    "B3": "headers",
    "B4": "multi-model endpoints",
    "B5": "batch transform",
    "B6": "asynchronous, serverless, pipelines",
    "B7": "content types",
    "B8": "environment variables",
}
ONLY_ON_AWS = (
    ("A3", "FastFile is a folder that is read-only here; the speed and the errors of the real file system over S3 are not played"),
    ("A3", "manifests and the shuffling of S3 keys: the platform resolves them before the container sees files"),
    ("A4", "that a checkpoint is copied to S3 while the job runs, and how often"),
    ("A8", "encryption between hosts, elastic fabric adapters, GPUs, heterogeneous machines"),
    ("A8", "IAM roles, VPCs, KMS keys, endpoints of other AWS services"),
    ("B1", "when the platform replaces a machine whose ping fails"),
    ("B2", "how load balancers in front of the container time out and cut connections"),
    ("B6", "the speed at which serverless endpoints start and grow; what their file system is like"),
    ("B6", "autoscaling, shadow and production variants, data capture: all of it happens outside of the container"),
)


@dataclass(frozen=True)
class Row:
    """One promise: the row of the contract, the promise, which test holds the container to it, how it went, and why, if not well."""

    contract: str
    promise: str
    test: str
    result: str
    reason: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/conformance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tested = parser.add_mutually_exclusive_group()
    tested.add_argument("--command", metavar="COMMAND", help="train or serve stands for {} in it, or is its last word")
    tested.add_argument("--image", help="an image in Docker, instead of a command")
    parser.add_argument("--folder", type=Path, help="what the container is trained and asked with; see tests/conformance/README.md")
    parser.add_argument("--output", type=Path, help="write the table here, too, as Markdown")
    parser.add_argument("--quick", action="store_true", help="leave the tests out that take longest")
    parser.add_argument("pytest", nargs="*", help="further arguments of pytest, behind --: such as -k pipe, or -n 2")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        code = subprocess.run(_pytest(options, report), cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
        rows = read_report(report) if report.exists() else []
    if not rows:
        print("conformance: no test ran", file=sys.stderr)
        return code or 1
    print(as_text(rows))
    if options.output:
        options.output.write_text(as_markdown(rows), encoding="utf-8")
    return 1 if code or any(row.result == FAILED for row in rows) else 0


def _pytest(options: argparse.Namespace, report: Path) -> list[str]:
    command = [sys.executable, "-m", "pytest", SUITE, "-q", "-p", "no:cacheprovider", "-r", "fE", f"--junitxml={report}"]
    if options.image:
        command += ["--container-image", options.image]
    if options.command:
        command += ["--container-command", _from_here(options.command)]
    if options.folder:
        command += ["--container-folder", str(options.folder.resolve())]
    return [*command, *(["-m", "not slow"] if options.quick else []), *options.pytest]


def _from_here(command: str) -> str:
    """A relative path at the start of the command counts from the caller's folder; pytest runs in the project's."""
    first, *rest = command.split(" ", 1)
    return " ".join([os.path.join(Path.cwd(), first) if "/" in first else first, *rest])  # noqa: PTH118 - Path would eat "./"


def read_report(path: Path) -> list[Row]:
    """Reads pytest's report in JUnit's XML. A test may stand for several rows of the contract; one for none is shown if it failed."""
    rows = []
    for case in ET.parse(path).getroot().iter("testcase"):
        properties = [one.get("value", "") for one in case.iter("property") if one.get("name") == "contract"]
        result, reason = _result(case)
        test = f"{case.get('classname', '').removeprefix('tests.conformance.')}.{case.get('name', '')}"
        for contract, _, promise in (one.partition(": ") for one in properties or (["?: "] if result == FAILED else [])):
            rows.append(Row(contract, promise, test, result, reason))
    return sorted(rows, key=lambda row: (row.contract, row.promise))


def _result(case: ET.Element) -> tuple[str, str]:
    for tag, result in (("failure", FAILED), ("error", FAILED), ("skipped", SKIPPED)):
        if (found := case.find(tag)) is not None:
            return result, " ".join((found.get("message") or "").split())[:200]
    return PASSED, ""


def as_text(rows: Iterable[Row]) -> str:
    rows, lines = list(rows), []
    for section, of_it in _sections(rows):
        lines += ["", f"{section} {SECTIONS.get(section, '')}".rstrip()]
        for row in of_it:
            lines.append(f"  {row.result:8}{row.promise or row.test}")
            if row.reason:
                lines.append(f"          {row.reason}")
            if row.result == FAILED:
                lines.append(f"          {row.test}")
    lines += ["", "What nobody can verify without AWS", *(f"  {row:4}{text}" for row, text in ONLY_ON_AWS), "", _summary(rows)]
    return "\n".join(lines[1:])


def as_markdown(rows: Iterable[Row]) -> str:
    rows = list(rows)
    lines = ["# Conformance to SageMaker's container contract", "", _summary(rows)]
    for section, of_it in _sections(rows):
        lines += ["", f"## {section} {SECTIONS.get(section, '')}".rstrip(), "", "| promise | test | result |", "|---|---|---|"]
        for row in of_it:
            result = row.result + (f": {row.reason}" if row.reason else "")
            lines.append(f"| {_cell(row.promise)} | `{row.test}` | {_cell(result)} |")
    lines += ["", "## What nobody can verify without AWS", "", *(f"- {row}: {text}" for row, text in ONLY_ON_AWS), ""]
    return "\n".join(lines)


def _sections(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.contract, []).append(row)
    return sorted(grouped.items())


def _summary(rows: Sequence[Row]) -> str:
    counts = {result: sum(row.result == result for row in rows) for result in (PASSED, FAILED, SKIPPED)}
    return ", ".join(f"{count} {result}" for result, count in counts.items())


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())

"""Says what the image is made of, and asks whether a part of it is known to be vulnerable.

    scripts/audit                               # asks PyPI about each package of requirements/image.txt, through pip-audit
    scripts/audit --sbom bom.json               # writes a bill of materials (CycloneDX) first; needs no network
    scripts/audit --sbom bom.json --offline     # and asks nobody

The Java libraries in multi-model-server's jar are in the bill; nobody is asked about them: SECURITY.md lists what is known.
Ends with 0 where nothing is known, 1 where something is, 3 where not every package could be asked about.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from container.serving.java_runtime import server_jar
from scripts.bill_of_materials import bill_of_materials, java_libraries, locked_packages
from scripts.command_line import CommandError, run

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "image.txt"
VULNERABLE = 1
NOT_ASKED = 3
_SECONDS = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, ``VULNERABLE`` or ``NOT_ASKED``. Raises ``CommandError`` where the bill cannot be written."""
    options = parse_arguments(arguments)
    if options.sbom:
        try:
            options.sbom.write_text(bill_of_materials(LOCK, server_jar()), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{options.sbom} cannot be written: {error.strerror}") from None
        count = len(locked_packages(LOCK))
        print(f"{options.sbom}: {count} Python packages, and {sum(1 for _ in java_libraries(server_jar()))} Java libraries in one of them")
    if options.offline:
        return 0
    command = [sys.executable, "-m", "pip_audit", "-r", str(LOCK), "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    try:
        asked = subprocess.run([*command, "-f", "json"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return _not_asked(f"pip-audit has no answer after {_SECONDS} s")
    try:
        dependencies = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        return _not_asked((asked.stderr.strip() or "pip-audit says nothing").splitlines()[-1])
    return judge(dependencies)


def judge(dependencies: Sequence[Any]) -> int:
    """Prints what pip-audit found, and returns the exit code. What it cannot ask about it skips, and says that all is well; we do not."""
    vulnerable = [one for one in dependencies if one.get("vulns")]
    for one in vulnerable:
        for problem in one["vulns"]:
            fixed = f"fixed in {', '.join(problem['fix_versions'])}" if problem.get("fix_versions") else "not fixed yet"
            print(f"{one['name']} {one['version']}: {problem['id']} ({fixed})")
    skipped = [one["name"] for one in dependencies if "skip_reason" in one]
    if vulnerable:
        return VULNERABLE
    if skipped or not dependencies:
        return _not_asked(
            f"no answer about {len(skipped)} of {len(dependencies)} packages: {', '.join(skipped[:5])}{', …' * (len(skipped) > 5)}"
        )
    print(f"nothing is known against the {len(dependencies)} packages of {LOCK.name}")
    return 0


def _not_asked(why: str) -> int:
    print(f"could not ask the service of known vulnerabilities: {why}", file=sys.stderr)
    return NOT_ASKED


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/audit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sbom", type=Path, metavar="FILE", help="writes the bill of materials, CycloneDX as JSON")
    parser.add_argument("--offline", action="store_true", help="asks nobody")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(run(main))

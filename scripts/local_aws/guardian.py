"""Stands between the local SageMaker and one command, so that nothing of it is left when either ends, however that happens.

    python -m scripts.local_aws.guardian PARENT PATIENCE AFTERWARDS COMMAND …

Runs the command in a process group of its own. SIGTERM, or the end of the process PARENT, is handed on as SIGTERM, and PATIENCE seconds
later, or when a second SIGTERM comes, as SIGKILL to the whole group. AFTERWARDS is a command, as JSON, that is run in the end, or ``[]``.
Ends with the command's exit code, 128 + the signal's number if one ended it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from container import exit_codes
from container.serving.lifetime import Lifetime, die_with_parent


def main(arguments: Sequence[str]) -> int:
    parent, patience, afterwards, *command = arguments
    lifetime = Lifetime(int(patience))
    die_with_parent(signal.SIGTERM)
    if os.getppid() != int(parent) or lifetime.stopping:  # it ended before it was asked to tell us
        return exit_codes.STOPPED
    code = lifetime.run(command, os.environ, stdout=None)
    if tidying := json.loads(afterwards):
        subprocess.run(tidying, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

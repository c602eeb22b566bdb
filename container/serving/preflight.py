"""Opens the model, checks its hashes and answers one request, before a server is started. A process of its own: its memory goes with it."""

from __future__ import annotations

import os
import sys

from container.paths import model_dir
from container.serving.responder import Responder
from container.serving.settings import Settings
from inference.artifact import load
from inference.errors import ArtifactError
from inference.media_types import SUPPORTED


def main() -> int:
    """Returns 0, or 1 after one line on stderr."""
    directory = model_dir()
    try:
        found = directory.is_dir()
    except OSError as error:
        return _fail(f"can't look into {directory} ({error.strerror}): let this user read it, and the folders above it")
    if not found:
        return _fail(f"there is no model directory {directory}: train a model first, or set SAGEMAKER_BASE_DIR to the folder above model/")
    settings = Settings.from_environment(os.environ)
    try:
        load(directory, verify=True)
        responder = Responder.of(directory, settings)
    except ArtifactError as error:
        return _fail(str(error))
    reply = responder.warm_up()
    if reply.status == 406:
        return _fail(f"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT={settings.default_accept!r} is not one of {', '.join(SUPPORTED)}")
    if reply.status >= 500:
        return _fail(f"the model in {directory} loads, but can't answer: {reply.body.decode()}")
    return 0


def _fail(message: str) -> int:
    print(f"serve: {' '.join(message.split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""Opens the model and answers one request, before a server is started for it. A process of its own, for its memory goes with it."""

from __future__ import annotations

import os
import sys

from container.paths import model_dir
from container.serving.responder import Responder
from container.serving.settings import Settings
from inference.errors import ArtifactError


def main() -> int:
    """Returns 0, or 1 after one line on stderr."""
    directory = model_dir()
    if not directory.is_dir():
        return _fail(f"there is no model directory {directory}: train a model first, or set SAGEMAKER_BASE_DIR to the folder above model/")
    settings = Settings.from_environment(os.environ)
    try:
        responder = Responder.of(directory, settings)
    except ArtifactError as error:
        return _fail(str(error))
    reply = responder.warm_up()
    if reply.status >= 500:
        return _fail(f"the model in {directory} loads, but can't answer: {reply.body.decode()}")
    return 0


def _fail(message: str) -> int:
    print(f"serve: {' '.join(message.split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

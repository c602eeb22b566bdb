"""What AWS has no operation for: the misfortunes of a training job, at the person's command. Only the local SageMaker has these addresses.

curl -X POST $AWS_ENDPOINT_URL/_local/training-jobs/NAME/interrupt           its spot instances are taken away
curl -X POST $AWS_ENDPOINT_URL/_local/training-jobs/NAME/hosts/algo-3/kill   one host is killed without a warning
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from scripts.local_aws.errors import ApiError
from scripts.local_aws.training_jobs import TrainingJobs

PLACE = "/_local/"
_PATH = re.compile(PLACE + r"training-jobs/([A-Za-z0-9-]+)/(?:interrupt|hosts/(algo-\d+)/kill)")


class Switches:
    """A WSGI application: answers below ``/_local/``, which can be no bucket, and hands everything else on to ``others``."""

    def __init__(self, training: TrainingJobs, others: Callable[..., Iterable[bytes]]) -> None:
        self._training, self._others = training, others

    def __call__(self, environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environment.get("PATH_INFO", "")
        if not path.startswith(PLACE):
            return self._others(environment, start_response)
        status, said = self._switch(environment.get("REQUEST_METHOD", ""), path)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps({"message": said}).encode() + b"\n"]

    def _switch(self, method: str, path: str) -> tuple[str, str]:
        match = _PATH.fullmatch(path)
        if not match:
            return "404 Not Found", (__doc__ or "").strip()
        if method != "POST":
            return "405 Method Not Allowed", "This changes something: send a POST."
        name, host = match[1], match[2]
        try:
            if host:
                self._training.lose(name, host)
                return "200 OK", f"{host} of {name} is killed."
            self._training.interrupt(name)
            return "200 OK", f"The spot instances of {name} are taken away."
        except ApiError as error:
            return "400 Bad Request", error.message

"""Asynchronous endpoints: nothing new for a container but large bodies and long times."""

from __future__ import annotations

import pytest

from tests.conformance.answers import check_error, settled
from tests.conformance.conftest import Serving
from tests.conformance.subject_folder import Subject

MEGABYTE = 1024 * 1024
BODY_MB, LIMIT_MB = 25, 30
LONG = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "3600", "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "3600"}


@pytest.mark.contract(
    "B6", "SAGEMAKER_MAX_PAYLOAD_IN_MB lets in the bodies of an asynchronous endpoint, and refuses what is larger; an hour is allowed"
)
def test_large_bodies_are_let_in_when_told_so(serving: Serving, subject: Subject) -> None:
    if subject.serving.get("largest_payload_mb", 0) < LIMIT_MB:
        pytest.skip(f"subject.json: largest_payload_mb is below {LIMIT_MB}")
    body = subject.json_request
    headers = {"Content-Type": body.content_type}
    with serving({"SAGEMAKER_MAX_PAYLOAD_IN_MB": str(LIMIT_MB), **LONG}) as server:
        alone = settled(server.invoke(body), subject)
        assert settled(server.ask("POST", "/invocations", body.content.rjust(BODY_MB * MEGABYTE), headers), subject) == alone
        over = server.ask("POST", "/invocations", body.content.rjust((LIMIT_MB + 1) * MEGABYTE), headers)
        check_error(over, {413}, subject, "over SAGEMAKER_MAX_PAYLOAD_IN_MB")
        assert settled(server.invoke(body), subject) == alone

"""Headers of InvokeEndpoint, in and out, and those that the platform may add."""

from __future__ import annotations

import re

import pytest

from tests.conformance.answers import settled
from tests.conformance.limits import ATTRIBUTES, INFERENCE_ID
from tests.conformance.server import Server
from tests.conformance.subject_folder import Subject

PREFIX = "X-Amzn-SageMaker-"
CUSTOM, ID = f"{PREFIX}Custom-Attributes", f"{PREFIX}Inference-Id"
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
OF_THE_PLATFORM = {
    f"{PREFIX}Target-Variant": "variant-1",
    f"{PREFIX}Target-Container-Hostname": "container-1",
    f"{PREFIX}Enable-Explanations": "`false`",
    f"{PREFIX}Inference-Component": "component-1",
    f"{PREFIX}Session-Id": "NEW_SESSION",
    f"{PREFIX}Something-New": "1",
    "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
    "X-Forwarded-For": "203.0.113.7",
    "X-Nobody-Knows": '"odd"; value=,;=' + "x" * 2000,
    "User-Agent": "AHC/2.0",
    "Expect-Nothing": "",
}


@pytest.mark.contract("B3", "Headers that a container does not know are ignored")
def test_unknown_headers_change_nothing(server: Server, subject: Subject) -> None:
    for body in subject.requests:
        assert settled(server.invoke(body, OF_THE_PLATFORM), subject) == settled(server.invoke(body), subject), str(body)


@pytest.mark.contract("B3", "Custom-Attributes of up to 1024 visible ASCII characters may come with a request and with its answer")
@pytest.mark.parametrize("sent", ["a=b", VISIBLE, (VISIBLE * 11)[:ATTRIBUTES]], ids=["short", "every-character", "longest"])
def test_custom_attributes_in_and_out_keep_to_the_limits(server: Server, subject: Subject, sent: str) -> None:
    answer = server.invoke(subject.requests[0], {CUSTOM: sent})
    assert settled(answer, subject) == settled(server.invoke(subject.requests[0]), subject)
    told = answer.headers.get(CUSTOM.lower(), "")
    assert len(told) <= ATTRIBUTES
    assert re.fullmatch(r"[\x20-\x7e]*", told), told
    if subject.serving.get("echoes_attributes") and len(sent) < ATTRIBUTES // 2:
        assert sent in told


@pytest.mark.contract("B3", "An Inference-Id of up to 64 characters is taken; where the container repeats it, it is the request's own")
@pytest.mark.parametrize("sent", ["one", "a-b_c.d" * 9 + "!", "z" * INFERENCE_ID], ids=["short", "odd", "longest"])
def test_an_inference_id_is_taken_and_never_mixed_up(server: Server, subject: Subject, sent: str) -> None:
    answer = server.invoke(subject.requests[0], {ID: sent})
    assert answer.status == 200
    told = answer.headers.get(ID.lower())
    if subject.serving.get("echoes_inference_id") or told is not None:
        assert told == sent


@pytest.mark.contract("B3", "A refused request gets its Custom-Attributes and its status back as any other")
def test_headers_do_not_change_what_is_refused(server: Server, subject: Subject) -> None:
    for body in subject.bad_requests[:3]:
        assert server.invoke(body, {CUSTOM: "a=b", ID: "one", **OF_THE_PLATFORM}).status == server.invoke(body).status, str(body)


@pytest.mark.contract(
    "B6", "The answer's Custom-Attributes tell the model's version, so that variants and shadow variants can be told apart"
)
def test_the_version_of_the_model_is_told(server: Server, subject: Subject) -> None:
    pattern = subject.serving.get("model_version")
    if not pattern:
        pytest.skip("subject.json: no model_version")
    told = {server.invoke(body).headers.get(CUSTOM.lower(), "") for body in subject.requests}
    found = [re.search(pattern, one) for one in told]
    assert all(found), told
    assert len({one.group(1) for one in found if one}) == 1, told

"""What goes in by which content type, and what comes out by which Accept."""

from __future__ import annotations

import itertools

import pytest

from tests.conformance.answers import check_error, parsed, settled
from tests.conformance.server import Server
from tests.conformance.subject_folder import Subject

NOBODYS_TYPE = "application/x-nobody-has-heard-of-it"
RUBBISH = {
    "nothing": b"",
    "zero": b"\0",
    "no UTF-8": b"\xff\xfe",
    "newline": b"\n",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "half a surrogate": b'"\xed\xa0\x80"',
    "brackets that never met": b"]]}}",
}


@pytest.mark.contract("B7", "Every body that the container takes is answered with 200, by a valid body of the type that it says")
def test_every_request_is_answered_with_a_valid_body(server: Server, subject: Subject) -> None:
    for body in subject.requests:
        answer = server.invoke(body)
        assert answer.status == 200, (str(body), answer.body)
        assert answer.content_type in subject.serving["answer_types"], str(body)
        assert parsed(answer.body, answer.content_type), str(body)


@pytest.mark.contract("B7", "The same request has the same answer")
def test_the_same_request_has_the_same_answer(server: Server, subject: Subject) -> None:
    for body in subject.requests:
        assert len({repr(settled(server.invoke(body), subject)) for _ in range(6)}) == 1, str(body)


@pytest.mark.contract("B7", "A content type may have parameters (; charset=utf-8) and capital letters")
@pytest.mark.parametrize("form", ["{}; charset=utf-8", "{};charset=UTF-8", '{} ; charset="utf-8"', "capitals"])
def test_parameters_and_capitals_of_a_content_type_change_nothing(server: Server, subject: Subject, form: str) -> None:
    for body in subject.requests:
        content_type = body.content_type.title() if form == "capitals" else form.format(body.content_type)
        answer = server.invoke(body, {"Content-Type": content_type})
        assert settled(answer, subject) == settled(server.invoke(body), subject), (str(body), content_type)


@pytest.mark.contract(
    "B7", "Accept is obeyed for each type that the container can answer in, with parameters and beside types that it cannot"
)
def test_the_answer_has_the_type_that_accept_asks_for(server: Server, subject: Subject) -> None:
    body = subject.requests[0]
    for wanted in subject.serving["answer_types"]:
        for accept in (wanted, f"{wanted}; charset=utf-8", f"{NOBODYS_TYPE}, {wanted};q=0.5", f"{wanted}, */*;q=0.1"):
            answer = server.invoke(body, {"Accept": accept})
            assert (answer.status, answer.content_type) == (200, wanted), (accept, answer)
            assert parsed(answer.body, answer.content_type)


@pytest.mark.contract("B7", "Of several types in Accept the one with the greatest q-value comes, whatever their order; q=0 excludes")
def test_q_values_of_accept_decide(server: Server, subject: Subject) -> None:
    body, types = subject.requests[0], subject.serving["answer_types"]
    if len(types) < 2:
        pytest.skip("it answers in one type only")
    for less, more in itertools.permutations(types, 2):
        for accept in (f"{less};q=0.2, {more};q=0.9", f"{more}, {less};q=0.9", f"{less};q=0, {more}", f"*/*;q=0.1, {more}"):
            assert server.invoke(body, {"Accept": accept}).content_type == more, accept


@pytest.mark.contract("B7", "Without Accept, and with */*, there is an answer")
@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": ""}], ids=["none", "any", "empty"])
def test_nobody_has_to_say_what_he_accepts(server: Server, subject: Subject, headers: dict[str, str]) -> None:
    for body in subject.requests:
        assert server.invoke(body, headers).status == 200, str(body)


@pytest.mark.contract("B7", "An unknown content type is 415, with a JSON body that says why")
def test_an_unknown_content_type_is_415(server: Server, subject: Subject) -> None:
    check_error(server.invoke(subject.requests[0], {"Content-Type": NOBODYS_TYPE}), {415}, subject, NOBODYS_TYPE)


@pytest.mark.contract("B7", "An Accept that cannot be fulfilled is 406, with a JSON body that says why")
def test_an_accept_that_nobody_can_fulfil_is_406(server: Server, subject: Subject) -> None:
    check_error(server.invoke(subject.requests[0], {"Accept": NOBODYS_TYPE}), {406}, subject, NOBODYS_TYPE)


@pytest.mark.contract(
    "B7", "A body that is wrong is refused with 400, 413, 415 or 422, with a JSON body that says why and holds no traceback"
)
def test_every_bad_request_is_refused_with_a_reason(server: Server, subject: Subject) -> None:
    for body in subject.bad_requests:
        check_error(server.invoke(body), {400, 413, 415, 422}, subject, body)
        assert server.invoke(subject.requests[0]).status == 200, f"no answer any longer after {body}"


@pytest.mark.contract("B7", "A body under a content type that it does not have is no server error, and leaves the server whole")
def test_a_body_under_the_wrong_content_type_is_no_server_error(server: Server, subject: Subject) -> None:
    types = sorted({body.content_type for body in subject.requests})
    for body, content_type in itertools.product(subject.requests, types):
        answer = server.invoke(body, {"Content-Type": content_type})
        assert answer.status < 500, (str(body), content_type, answer.body)
    assert server.invoke(subject.requests[0]).status == 200


@pytest.mark.contract("B7", "A body without a content type is answered or refused, and is no server error")
def test_a_missing_content_type_is_no_server_error(server: Server, subject: Subject) -> None:
    answer = server.ask("POST", "/invocations", subject.json_request.content)
    assert 200 <= answer.status < 500, answer
    if answer.status >= 300:
        check_error(answer, {400, 415}, subject, "no content type")


@pytest.mark.contract("B7", "Bytes that are nothing at all are never answered with 2xx and leave the server whole")
@pytest.mark.parametrize("content", RUBBISH.values(), ids=RUBBISH)
def test_rubbish_is_refused(server: Server, subject: Subject, content: bytes) -> None:
    check_error(
        server.ask("POST", "/invocations", content, {"Content-Type": "application/json"}), {400, 413, 415, 422}, subject, content[:40]
    )
    assert server.invoke(subject.requests[0]).status == 200

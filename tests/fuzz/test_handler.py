"""The handler's whole way, from bytes and headers to bytes: whatever comes in, it answers in its own form, and forgets what was asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from container.serving.responder import Reply, Responder
from inference.artifact import save
from inference.request import EVENT_FIELDS, REQUEST_FIELDS
from scripts.fuzz import in_process
from scripts.fuzz_inputs import ACCEPTS, NUMBERS, PERSONALIZE_FIELDS, TYPES, Inputs
from scripts.fuzz_promises import broken_promises
from scripts.fuzz_tally import Tally
from tests.inference.models import SONGS, make_recommender

KNOWN = json.dumps({"user_id": "u1", "items": ["s1", "s2"], "explain": True}).encode()
AT_LENGTH = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

HEADERS = st.none() | st.sampled_from([header.decode("latin-1") for header in (*TYPES, *ACCEPTS)]) | st.text(max_size=60)
TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(["u1", "s1", "s2", "nobody", "\ud800", "\x00"])  # lone surrogates, too
NUMBERS_ = st.integers() | st.floats() | st.integers(10**300, 10**301) | st.integers(-3, 60)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS_ | TEXTS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS | st.sampled_from(EVENT_FIELDS), inner, max_size=5),
    max_leaves=25,
)
FIELDS = st.sampled_from([*REQUEST_FIELDS, *PERSONALIZE_FIELDS]) | TEXTS
EVENTS = st.lists(st.dictionaries(st.sampled_from(EVENT_FIELDS), VALUES, min_size=1, max_size=4), max_size=5)
NEAR = st.builds(
    lambda user, more: {"user_id": user} | more, st.sampled_from(["u1", "u2"]), st.dictionaries(FIELDS, VALUES | EVENTS, max_size=4)
)


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


BODIES = st.one_of(
    st.binary(max_size=300),
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    VALUES.map(_dumped),
    NEAR.map(_dumped),
    st.lists(NEAR | VALUES, max_size=8).map(_dumped),
    st.lists(NEAR.map(_dumped) | st.binary(max_size=20), max_size=8).map(b"\n".join),
    st.lists(st.lists(TEXTS, min_size=1, max_size=4).map(",".join), max_size=6).map(
        lambda rows: "\n".join(rows).encode("utf-8", "replace")
    ),
    st.tuples(FIELDS, st.sampled_from(NUMBERS)).map(lambda pair: b'{"items": ["s1"], %s: %s}' % (json.dumps(pair[0]).encode(), pair[1])),
    st.tuples(st.sampled_from([b"[", b'{"a":', b'{"filter":']), st.integers(1, 3000)).map(lambda deep: deep[0] * deep[1]),
    st.lists(st.tuples(FIELDS, VALUES), min_size=2, max_size=8).map(  # the same name twice, perhaps
        lambda pairs: b"{" + b",".join(b"%s:%s" % (_dumped(name), _dumped(value)) for name, value in pairs) + b"}"
    ),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("fuzz") / "model"
    save(make_recommender(), directory, {})
    return directory


@pytest.fixture(scope="module", params=[False, True], ids=["endpoint", "transform"])
def responder(model: Path, request: pytest.FixtureRequest) -> Responder:
    return Responder(model, max_response=6 * 1024 * 1024, batch=request.param)


def kept(reply: Reply, by_line: bool) -> list[str]:
    return broken_promises(reply.status, reply.content_type, reply.body, by_line)


@AT_LENGTH
@given(body=BODIES, content_type=HEADERS, accept=HEADERS)
def test_any_request_is_answered_in_form_and_changes_no_other_answer(
    responder: Responder, body: bytes, content_type: str | None, accept: str | None
) -> None:
    before = responder.reply(KNOWN, "application/json", None)
    reply = responder.reply(body, content_type, accept, "id")
    assert kept(reply, by_line=True) == []
    again = responder.reply(body, content_type, accept, "id")
    assert (reply.status, reply.content_type, reply.body) == (again.status, again.content_type, again.body)
    after = responder.reply(KNOWN, "application/json", None)
    assert (before.status, before.body) == (200, after.body)


@AT_LENGTH
@given(body=BODIES, content_type=st.sampled_from(["application/json", "application/jsonlines", "text/csv"]))
def test_any_body_of_a_type_that_is_known_is_answered_in_form(responder: Responder, body: bytes, content_type: str) -> None:
    assert kept(responder.reply(body, content_type, None, "id"), by_line=True) == []


def test_thousands_of_seeded_requests_are_answered_in_form_and_the_good_ones_always_the_same(model: Path) -> None:
    inputs = Inputs([f"u{i}" for i in range(5)], [f"s{i}" for i in range(SONGS)], seed=1, enormous=300_000)
    tally = Tally()
    for batch in (False, True):
        in_process(Responder(model, max_response=6 * 1024 * 1024, batch=batch), inputs, 500, 1, batch, tally)
    assert tally.broken == []
    assert {200, 400, 406, 415, 422} <= set(tally.statuses())
    assert tally.inputs > 1000

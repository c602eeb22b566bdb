from __future__ import annotations

import json
import math
import multiprocessing
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.serving.account import Account, FrontCounts, WorkerCounts
from container.serving.metrics import Counters, Series, label, render, totals, write_template
from container.serving.responder import JSON, Responder
from container.serving.series import DURATION, PART, all_series
from tests.integration.prometheus import parse
from tests.integration.serving import ROOT, make_model

VERSION = "abc"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_template(tmp_path / "metrics", all_series(VERSION))
    return tmp_path / "metrics"


def count_and_die(directory: Path, times: int) -> None:
    counts = WorkerCounts.start(directory)
    for _ in range(times):
        counts.add(Account(decode=0.001, requests=1, answers=Counter({("known", "none"): 1})))


def in_another_process(directory: Path, times: int) -> None:
    process = multiprocessing.get_context("fork").Process(target=count_and_die, args=(directory, times))
    process.start()
    process.join()
    assert process.exitcode == 0


ANSWERED = 'recommender_answers_total{listener="known",fallback="none"}'


def test_what_a_dead_process_has_counted_stays_and_its_file_is_taken_over(directory: Path) -> None:
    for n in (3, 4):
        in_another_process(directory, n)
    assert totals(directory)[ANSWERED] == 7
    assert [path.name for path in directory.glob("counts.*")] == ["counts.0"]


def test_processes_that_live_at_once_have_files_of_their_own_and_are_added_up(directory: Path) -> None:
    first, second = WorkerCounts.start(directory), WorkerCounts.start(directory)
    first.add(Account(answers=Counter({("known", "none"): 2})))
    second.add(Account(answers=Counter({("known", "none"): 5})))
    in_another_process(directory, 1)
    assert parse(render(directory))[ANSWERED] == 8
    assert len(list(directory.glob("counts.*"))) == 3


def test_a_start_beyond_the_number_of_workers_is_a_restart(directory: Path) -> None:
    Counters.claim(directory).set("recommender_workers", 2)
    held = [WorkerCounts.start(directory) for _ in range(2)]
    assert totals(directory)["recommender_worker_restarts_total"] == 0
    for _ in range(3):
        in_another_process(directory, 0)
    assert held
    found = totals(directory)
    assert (found["recommender_worker_starts_total"], found["recommender_worker_restarts_total"]) == (5, 3)


def test_what_a_dead_process_had_in_hand_is_nobodys(directory: Path) -> None:
    gone = Counters.claim(directory)
    gone.set("recommender_requests_in_flight", 3)
    gone.add(gone.place("recommender_worker_starts_total"))
    gone.close()
    heir = Counters.claim(directory)
    assert heir.numbers[heir.place("recommender_requests_in_flight")] == 0
    assert heir.numbers[heir.place("recommender_worker_starts_total")] == 1


@given(st.lists(st.floats(0, 100, allow_nan=False), max_size=30))
def test_a_histogram_counts_each_value_in_every_bucket_that_holds_it(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    directory = tmp_path_factory.mktemp("histogram")
    write_template(directory, all_series(VERSION))
    counters = Counters.claim(directory)
    observe, other = counters.histogram(DURATION), counters.histogram(PART, label("part", "queue"))
    for value in values:
        observe(value)
        other(value / 2)
    found = parse(render(directory))
    for bound in (*DURATION.bounds, math.inf):
        text = "+Inf" if bound == math.inf else f"{bound:g}"
        assert found[f'recommender_request_duration_seconds_bucket{{le="{text}"}}'] == sum(value <= bound for value in values)
        inner = f'recommender_request_part_seconds_bucket{{part="queue",le="{text}"}}'
        assert found[inner] == sum(value / 2 <= bound for value in values)
    assert found["recommender_request_duration_seconds_count"] == len(values)
    assert found["recommender_request_duration_seconds_sum"] == pytest.approx(sum(values))
    assert found['recommender_request_part_seconds_bucket{part="decode",le="+Inf"}'] == 0


def test_a_moment_is_shown_as_the_seconds_since_and_not_at_all_before_it_was_set(directory: Path) -> None:
    counters = Counters.claim(directory)
    counters.set("recommender_uptime_seconds", 1000.0)
    found = parse(render(directory, now=1012.5))
    assert found["recommender_uptime_seconds"] == 12.5
    assert "recommender_model_age_seconds" not in found
    assert parse(render(directory, now=990))["recommender_uptime_seconds"] == 0  # the clock was set back


def test_any_model_version_is_a_label_that_can_be_read(tmp_path: Path) -> None:
    write_template(tmp_path, all_series('a"b\\c\nd'))
    Counters.claim(tmp_path).set("recommender_model_info", 1, label("model_version", 'a"b\\c\nd'))
    assert parse(render(tmp_path))['recommender_model_info{model_version="a\\"b\\\\c\\nd"}'] == 1


@pytest.mark.parametrize("version", [VERSION, None])
def test_names_follow_the_conventions_of_prometheus(version: str | None) -> None:
    for one in all_series(version):
        assert one.name.startswith("recommender_")
        assert (one.kind == "counter") == one.name.endswith("_total")
        assert one.help.endswith(".")
        assert "\n" not in one.help + "\\"
        assert "ms" not in one.name.split("_")
    names = [one.name for one in all_series(version)]
    assert len(names) == len(set(names))


def test_the_readme_names_every_series_and_no_other() -> None:
    names = set(re.findall(r"`(recommender_\w+)`", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert names == {one.name for version in (VERSION, None) for one in all_series(version)}


def test_a_status_that_nobody_foresaw_is_counted_as_other(directory: Path) -> None:
    counts = FrontCounts(Counters.claim(directory))
    for status in (200, 418, 200):
        counts.answered("invocations", status)
    found = totals(directory)
    assert found['recommender_requests_total{route="invocations",status="200"}'] == 2
    assert found['recommender_requests_total{route="invocations",status="other"}'] == 1


def test_an_unfinished_file_is_not_read(directory: Path) -> None:
    in_another_process(directory, 1)
    (directory / "counts.7").touch()
    (directory / "counts.8").write_bytes(b"1234")
    assert totals(directory)[ANSWERED] == 1


def test_two_series_cannot_share_a_place(directory: Path) -> None:
    counters = Counters.claim(directory)
    assert len(counters.numbers) == len([line for line in (directory / "template").read_text().splitlines() if line[0] != "#"])
    with pytest.raises(KeyError):
        counters.place("recommender_nothing")


# --- accounts --------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def responder(tmp_path_factory: pytest.TempPathFactory) -> Responder:
    return Responder(make_model(tmp_path_factory.mktemp("ml") / "model"), max_response=1_000_000)


def account_of(responder: Responder, body: bytes, content_type: str = JSON) -> Account:
    account = responder.reply(body, content_type, None).account
    assert account is not None
    return account


def fields(account: Account) -> dict[str, Any]:
    return dict(json.loads(f"{{{account.json_fields()}}}"))


@pytest.mark.parametrize(
    ("body", "answers", "history", "unknown"),
    [
        (b'{"user_id": "u0", "num_recommendations": 3}', ("known", "none"), 1, (0, 0)),
        (b'{"user_id": "u0"}', ("known", "popularity_fill"), 1, (0, 0)),
        (b'{"user_id": "nobody"}', ("unknown", "popularity"), 0, (1, 0)),
        (b'{"user_id": "nobody", "items": ["s1", "s2"], "num_recommendations": 2}', ("unknown", "none"), 2, (1, 0)),
        (b'{"items": ["s1", "s1", "no", "no", "not"], "num_recommendations": 2}', ("unnamed", "none"), 1, (0, 2)),
    ],
)
def test_an_account_says_who_asked_and_what_stood_in(
    responder: Responder, body: bytes, answers: tuple[str, str], history: int, unknown: tuple[int, int]
) -> None:
    account = account_of(responder, body)
    assert account.answers == {answers: 1}
    assert (account.requests, account.history, account.errors, account.error) == (1, history, 0, None)
    assert (account.unknown_listeners, account.unknown_songs) == unknown
    assert account.songs == len(set(re.findall(rb'"((?:s\d|no|not))"', body)))
    assert min(account.decode, account.predict, account.encode) > 0
    assert fields(account)["fallback"] == (None if answers[1] == "none" else answers[1])


def test_listeners_that_are_ranked_together_have_the_account_of_those_that_are_ranked_alone(responder: Responder) -> None:
    lines = [
        *(b'{"user_id": "u%d", "num_recommendations": 3}' % i for i in range(40)),
        *(b'{"user_id": "x%d", "items": ["s%d", "s5", "?"], "num_recommendations": 3}' % (i, i) for i in range(40)),
    ]
    together = account_of(responder, b"\n".join(lines), "application/jsonlines")
    alone = [account_of(responder, line) for line in lines]
    assert together.requests == len(lines)
    assert together.answers == sum((one.answers for one in alone), Counter())
    for name in ("history", "listeners", "unknown_listeners", "songs", "unknown_songs"):
        assert getattr(together, name) == sum(getattr(one, name) for one in alone), name


def test_errors_in_a_body_of_many_are_counted_and_the_one_error_of_a_body_is_named(responder: Responder) -> None:
    account = account_of(responder, b'{"user_id": "u0"}\n{"nothing": 1}\n{"user_id": 7.5}', "application/jsonlines")
    assert (account.requests, account.errors, account.error, sum(account.answers.values())) == (3, 2, None, 1)
    single = account_of(responder, b'{"nothing": 1}')
    assert (single.errors, single.error) == (0, "unknown_field")
    assert fields(account_of(responder, b"{"))["error"] == "malformed_json"


def test_no_id_of_the_caller_gets_into_the_log(responder: Responder) -> None:
    body = b'{"user_id": "Gustav", "items": ["Adagio", "s1"], "exclude": ["Largo"], "candidates": ["Presto", "s2"]}'
    text = account_of(responder, body).json_fields()
    assert text.isascii()
    assert not re.search("gustav|adagio|largo|presto|s1|s2", text, re.IGNORECASE)


def test_fallbacks_that_differ_are_mixed(responder: Responder) -> None:
    body = b'{"user_id": "u0", "num_recommendations": 3}\n{"user_id": "nobody"}'
    assert account_of(responder, body, "application/jsonlines").fallback == "mixed"


def test_series_are_made_of_what_the_template_can_say() -> None:
    one = Series("a", "histogram", "Help.", ['k="v"'], (1, 2))
    buckets = ['a_bucket{k="v",le="1"}', '+a_bucket{k="v",le="2"}', '+a_bucket{k="v",le="+Inf"}']
    assert list(one.samples()) == [*buckets, '+a_count{k="v"}', 'a_sum{k="v"}']

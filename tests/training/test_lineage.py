"""A model says where it comes from; OpenLineage's readers understand how."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from training.config import TrainingConfig
from training.data.extract import extract
from training.lineage import FACETS, code_sha256, lineage_event, lineage_facts, write_lineage

SONGS = "track_id,track_name,artists,energy\ns1,One,A,0.5\ns1,One,A,0.5\ns2,Two,B,loud\n"
EVENTS = "user,item\nu1,s1\nu1,s1\n,s2\nu2,s2\n"
MODEL = {"model_version": "abc", "data": {"songs": 2}, "arrays": {"a": {}, "b": {}}}
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# OpenLineage's required fields, by facet (spec 2-0-2 and the facets' own versions)
REQUIRED = {
    "schema": {"fields"},
    "version": {"datasetVersion"},
    "dataQualityMetrics": {"columnMetrics"},
    "outputStatistics": {"rowCount"},
    "jobType": {"processingType", "integration"},
    "processing_engine": {"version"},
}


@pytest.fixture
def facts(tmp_path: Path) -> dict[str, Any]:
    for name, text in (("items/songs.csv", SONGS), ("interactions/events.csv", EVENTS)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    config = TrainingConfig.from_hyperparameters({"seed": "7"})
    dataset = extract({"items": tmp_path / "items", "interactions": tmp_path / "interactions"}, config)
    return lineage_facts(dataset, config)


def test_every_file_is_named_with_its_size_hash_and_rows(facts: dict[str, Any]) -> None:
    found = {one["name"]: (one["size"], one["sha256"], one["rows"], one["schema"]) for one in facts["inputs"]}
    assert found == {
        "items/songs.csv": (len(SONGS), hashlib.sha256(SONGS.encode()).hexdigest(), 3, "generic"),
        "interactions/events.csv": (len(EVENTS), hashlib.sha256(EVENTS.encode()).hexdigest(), 4, "generic"),
    }


def test_the_rows_of_each_step_go_on_where_those_of_the_last_one_ended(facts: dict[str, Any]) -> None:
    steps = {(step["channel"], step["name"]): (step["rows_in"], step["rows_out"]) for step in facts["steps"]}
    assert steps == {
        ("items", "read"): (3, 3),
        ("items", "merge the rows of one id"): (3, 2),
        ("interactions", "read"): (4, 3),
        ("interactions", "count the events of a listener and a song"): (3, 2),
    }


def test_the_facts_have_no_times_and_no_places_of_this_machine(facts: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(facts)
    assert str(tmp_path) not in text
    assert not re.search(r"\d{4}-\d\d-\d\dT", text)
    assert facts["configuration"]["changed"] == {"seed": 7}


def test_the_code_is_known_by_its_sources(tmp_path: Path) -> None:
    assert code_sha256() == code_sha256()
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "a.py").write_text("1")
    first = code_sha256(tmp_path)
    (tmp_path / "training" / "a.py").write_text("2")
    assert code_sha256(tmp_path) != first


def test_the_event_has_what_openlineage_requires(facts: dict[str, Any]) -> None:
    event = lineage_event(facts, STARTED, STARTED + timedelta(minutes=3), MODEL, {"jobName": "music-1", "instanceType": "ml.m5.xlarge"})
    assert event["run"]["facets"]["musicRecommender_platform"]["jobName"] == "music-1"
    assert {"eventTime", "producer", "schemaURL", "run", "job", "eventType"} <= event.keys()
    assert event["eventType"] in {"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"}
    assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    assert uuid.UUID(event["run"]["runId"])
    datasets = [*event["inputs"], *event["outputs"]]
    assert len(event["inputs"]) == 2
    assert all(one["namespace"] and one["name"] for one in [event["job"], *datasets])
    facets = {**event["run"]["facets"], **event["job"]["facets"]}
    for one in datasets:
        facets |= {**one["facets"], **one.get("inputFacets", {}), **one.get("outputFacets", {})}
    assert facets.keys() == FACETS.keys()
    for name, facet in facets.items():
        assert re.match(r"[a-z]+:", facet["_producer"])
        assert facet["_schemaURL"] == FACETS[name]
        assert REQUIRED.get(name, set()) <= facet.keys()
        assert name in REQUIRED or name.startswith("musicRecommender_")


def test_a_model_that_is_continued_is_an_input_and_nothing_is_said_of_a_platform_that_there_is_not(facts: dict[str, Any]) -> None:
    event = lineage_event({**facts, "earlier_model": "123abc"}, STARTED, STARTED, MODEL)
    assert [one["name"] for one in event["inputs"]][-1] == "model/123abc"
    assert "musicRecommender_platform" not in event["run"]["facets"]


def test_the_file_is_strict_json_in_ascii(facts: dict[str, Any], tmp_path: Path) -> None:
    write_lineage(facts, tmp_path / "output", STARTED, STARTED, MODEL)
    event = json.loads((tmp_path / "output" / "lineage.json").read_text(encoding="ascii"))
    assert event["outputs"][0]["facets"]["version"]["datasetVersion"] == "abc"

"""Schemas: what we write is Avro and Amazon Personalize's, and what it would refuse is refused here, with a sentence."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.errors import UserDataError
from training.data.files import is_avro_schema
from training.personalize import limits
from training.personalize.avro import AvroSchema, Field, build_schema, read_schema, write_schema
from training.personalize.schema_rules import mistakes_of, plain_name

INTERACTIONS: dict[str, Any] = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "EVENT_VALUE", "type": ["float", "null"]},
        {"name": "DEVICE", "type": ["string", "null"], "categorical": True},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "IMPRESSION", "type": "string"},
    ],
    "version": "1.0",
}
ITEMS: dict[str, Any] = {
    "type": "record",
    "name": "Items",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "GENRES", "type": ["null", "string"], "categorical": True},
        {"name": "CREATION_TIMESTAMP", "type": "long"},
        {"name": "DESCRIPTION", "type": ["null", "string"], "textual": True},
    ],
    "version": "1.0",
}
USERS: dict[str, Any] = {
    "type": "record",
    "name": "Users",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}],
    "version": "1.0",
}
METADATA = st.builds(
    Field,
    name=st.from_regex(r"X[A-Z0-9_]{0,12}", fullmatch=True),
    type=st.sampled_from(["float", "double", "int", "long", "boolean"]),
    nullable=st.booleans(),
) | st.builds(
    Field,
    name=st.from_regex(r"Y[A-Z0-9_]{0,12}", fullmatch=True),
    type=st.just("string"),
    nullable=st.booleans(),
    categorical=st.booleans(),
)


def changed(schema: dict[str, Any], *more: dict[str, Any], without: str = "", **values: object) -> dict[str, Any]:
    out = deepcopy(schema) | values
    if "fields" not in values:
        out["fields"] = [field for field in out["fields"] if field["name"] != without] + list(more)
    return out


@pytest.mark.parametrize("schema", [INTERACTIONS, ITEMS, USERS], ids=lambda schema: schema["name"])
def test_the_schemas_of_the_developer_guide_are_taken(schema: dict[str, Any]) -> None:
    assert mistakes_of(schema) == []


@settings(deadline=None)
@given(st.lists(METADATA, min_size=1, max_size=5, unique_by=lambda field: plain_name(field.name)), st.sampled_from(["Items", "Users"]))
def test_what_is_written_is_avro_and_is_read_back(tmp_path_factory: pytest.TempPathFactory, metadata: list[Field], kind: str) -> None:
    fields = [Field("ITEM_ID" if kind == "Items" else "USER_ID", "string"), Field("AGE", "int", nullable=True), *metadata]
    schema = build_schema(kind, fields)
    path = write_schema(schema, tmp_path_factory.mktemp("schema"))
    assert path.name == f"{kind.lower()}-schema.json"
    assert read_schema(path) == schema
    parsed = fastavro.parse_schema(json.loads(path.read_text()))
    assert parsed["name"] == f"com.amazonaws.personalize.schema.{kind}"
    assert [field["name"] for field in parsed["fields"]] == schema.names


STRING = {"name": "PLAIN", "type": "string"}
REFUSED = {
    "no object": ([], "JSON object"),
    "not a record": (changed(USERS, type="array"), '"type" has to be "record", it is "array"'),
    "another dataset": (changed(USERS, name="People"), 'it is "People"'),
    "no fields": (changed(USERS, fields=[]), '"fields" has to be a list'),
    "a field without a type": (changed(USERS, {"name": "CITY"}), "field 3 has to be an object"),
    "a name with a space": (changed(USERS, {"name": "HOME TOWN", "type": "string"}), '"HOME TOWN" may have letters'),
    "a nested type": (changed(USERS, {"name": "TAGS", "type": {"type": "array", "items": "string"}}), "TAGS: its type is"),
    "an unknown type": (changed(USERS, {"name": "CITY", "type": "text"}), 'its type is "text"'),
    "two types": (changed(USERS, {"name": "CITY", "type": ["int", "string"]}), "CITY: its type has to be one of"),
    "null alone": (changed(USERS, {"name": "CITY", "type": ["null"]}), "CITY: its type has to be one of"),
    "a flag that is no flag": (changed(USERS, {"name": "CITY", "type": "string", "categorical": "yes"}), '"categorical" has to be true'),
    "names that underscores tell apart": (
        changed(USERS, {"name": "HOME_1", "type": "int"}, {"name": "HOME1", "type": "int"}),
        "HOME_1 and HOME1 are one name",
    ),
    "no id": (changed(USERS, without="USER_ID"), "the field USER_ID is required"),
    "no time": (changed(INTERACTIONS, without="TIMESTAMP"), "the field TIMESTAMP is required"),
    "a time as text": (
        changed(INTERACTIONS, {"name": "TIMESTAMP", "type": "string"}, without="TIMESTAMP"),
        "TIMESTAMP has to be of type long",
    ),
    "an id that may be missing": (
        changed(ITEMS, {"name": "ITEM_ID", "type": ["null", "string"]}, without="ITEM_ID"),
        "ITEM_ID has to be of type string without null",
    ),
    "an event value that is whole": (
        changed(INTERACTIONS, {"name": "EVENT_VALUE", "type": "int"}, without="EVENT_VALUE"),
        "EVENT_VALUE has to be of type float, with or without null",
    ),
    "a categorical event type": (
        changed(INTERACTIONS, {"name": "EVENT_TYPE", "type": "string", "categorical": True}, without="EVENT_TYPE"),
        "EVENT_TYPE can't be categorical",
    ),
    "a categorical number": (changed(USERS, {"name": "SIZE", "type": "int", "categorical": True}), "only a string can be categorical"),
    "both flags": (changed(ITEMS, {**STRING, "categorical": True, "textual": True}), "both categorical and textual"),
    "textual users": (changed(USERS, {**STRING, "textual": True}), "only Items have textual fields"),
    "two textual fields": (changed(ITEMS, {**STRING, "textual": True}), "at most 1 field can be textual: DESCRIPTION, PLAIN"),
    "nothing but an id": (changed(USERS, without="AGE"), "Users need a metadata field"),
    "nothing to learn from": (changed(USERS, STRING, without="AGE"), "Users need a metadata field"),
    "26 fields of users": (changed(USERS, *({"name": f"F{n}", "type": "int"} for n in range(25))), "25 metadata fields; there are 26"),
    "101 fields of items": (changed(ITEMS, *({"name": f"F{n}", "type": "int"} for n in range(99))), "100 metadata fields; there are 101"),
    "6 fields of interactions": (
        changed(INTERACTIONS, *({"name": f"F{n}", "type": "int"} for n in range(5))),
        "5 metadata fields; there are 6",
    ),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_a_schema_that_would_be_refused_is_refused_with_the_reason(content: object, said: str, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserDataError) as caught:
        read_schema(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_all_mistakes_are_named_at_once() -> None:
    wrong = changed(INTERACTIONS, {**STRING, "textual": True}, {"name": "DEV_ICE", "type": "int"}, without="TIMESTAMP")
    assert len(mistakes_of(wrong)) == 3


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_no_content_ends_in_a_traceback(content: object) -> None:
    assert mistakes_of(content)
    assert isinstance(mistakes_of(changed(USERS, fields=[content])), list)


@settings(deadline=None)
@given(st.sampled_from([INTERACTIONS, ITEMS, USERS]), st.data())
def test_no_broken_schema_ends_in_a_traceback(schema: dict[str, Any], data: st.DataObject) -> None:
    broken = deepcopy(schema)
    place = data.draw(st.sampled_from(broken["fields"]))
    odd = st.sampled_from([None, [], {}, 7, ["null"], [["null"]], "string", "record", ["string", "string"], True])
    place[data.draw(st.sampled_from(["name", "type", "categorical", "textual"]))] = data.draw(odd)
    mistakes = mistakes_of(broken)
    assert all(isinstance(one, str) and one for one in mistakes)
    assert mistakes or fastavro.parse_schema(broken)  # what we let pass is a schema to another reader, too


def test_a_file_of_songs_is_no_schema(tmp_path: Path) -> None:
    songs = tmp_path / "songs.json"
    songs.write_text('{"id": 1, "type": "record"}\n{"id": 2}\n')
    assert not is_avro_schema(songs)
    (tmp_path / "schema.json").write_text(json.dumps(USERS))
    assert is_avro_schema(tmp_path / "schema.json")


def test_a_schema_that_is_no_json_says_so(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text("{'type': 'record'}")
    with pytest.raises(UserDataError, match=r"schema\.json: can't be read as JSON"):
        read_schema(path)


def test_limits_name_every_dataset() -> None:
    assert {*limits.REQUIRED} == {*limits.RESERVED} == {*limits.MAX_METADATA_FIELDS}
    assert AvroSchema("Users", (Field("USER_ID", "string"),)).names == ["USER_ID"]

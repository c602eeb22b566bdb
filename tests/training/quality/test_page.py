"""The page is whole, loads nothing, and shows text of the data as text, whatever it is and whichever channels there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from tests.training.quality.html_reading import Page
from tests.training.quality.small_data import HOSTILE, Good, as_json_lines, document_of, hostile_dataset
from training.quality.document import quality_document
from training.quality.page import page
from training.quality.wording import clean

SECTIONS = ["What deserves attention", "What was read", "The way of the rows", "Problems", "Songs", "Listening", "Settings"]


def channels(*names: str) -> dict[str, str]:
    """Good data of these channels, those of ``test`` held out."""
    data = Good(songs=60)
    data.test = [{"user": f"u{u}", "item": data.songs[(8 * u + 9) % 60]["id"]} for u in range(20)]
    data.others = {"users/users.csv": "user\nu1\nnew\n"}
    return {name: text for name, text in data.files().items() if name.split("/")[0] in names}


def shown(folder: Path, files: dict[str, str], **config: Any) -> Page:
    return Page(page(document_of(folder, files, **config)))


@pytest.mark.parametrize("given_", ["items", "interactions", "items interactions", "interactions test", "items interactions users test"])
def test_the_page_is_whole_for_whichever_channels_there_are(tmp_path: Path, given_: str) -> None:
    found = shown(tmp_path, channels(*given_.split()))
    assert found.problems == []
    sections = [heading for heading in found.headings if heading in [*SECTIONS, "The channel test"]]
    assert sections == [*SECTIONS[:6], *(["The channel test"] if "test" in given_ else []), "Settings"]
    titles = [element.text for drawing in found.drawings for element in drawing if element.tag == "title"]
    assert ("Songs per listener" in titles) == ("interactions" in given_)
    assert ("Years" in titles) == ("items" in given_)
    assert ("No listening events were given" in found.text) == ("interactions" not in given_)
    assert ("No catalogue was given" in found.text) == ("items" not in given_)


def test_nothing_may_be_loaded_or_run(tmp_path: Path) -> None:
    html = page(document_of(tmp_path, channels("items", "interactions", "test")))
    assert "<script" not in html.casefold()
    assert not re.search(r"https?:|//|url\(|@import|\ssrc=|javascript:", html)
    assert Page(html).metas == {
        "charset": "utf-8",
        "viewport": "width=device-width, initial-scale=1",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "referrer": "no-referrer",
    }
    assert html.index("Content-Security-Policy") < html.index("<style")
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')


def test_good_data_have_nothing_that_deserves_attention_and_no_problem(tmp_path: Path) -> None:
    found = shown(tmp_path, Good().files())
    assert "Nothing: no limit that this report knows is crossed." in found.text
    assert "Nothing was found to be wrong with any row." in found.text
    assert "None: every row that was read is in the data that is learned from." in found.text
    assert "All hyperparameters about data have their defaults." in found.text


def test_what_the_document_holds_is_on_the_page(tmp_path: Path) -> None:
    data = Good(songs=60)
    data.songs[0] |= {"energy": "loud", "title": "Nothing <else> & more"}
    data.events[:300] = [event | {"item": "gone"} for event in data.events[:300]]
    document = document_of(tmp_path, data.files(), quality_placeholder_id="drop", features_categorical="genre")
    found = Page(page(document))
    assert found.problems == []
    for one in document["attention"]:
        assert one["text"] in found.text
        assert one["advice"] in found.text
    for file in document["files"]:
        assert file["name"] in found.foreign
        assert file["sha256"][:12] in found.text
    assert {song["id"] for song in document["interactions"]["most_played"]} <= set(found.foreign)
    assert '"loud"' in found.foreign
    assert {"quality_placeholder_id", "features_categorical"} <= set(re.findall(r"\w+", found.text))
    assert {"genre 1", "genre 6"} <= set(found.foreign)


def test_the_page_is_made_of_the_json_alone(tmp_path: Path) -> None:
    document = document_of(tmp_path, channels("items", "interactions", "test"))
    assert page(json.loads(json.dumps(document))) == page(document)


def test_hostile_text_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    html = page(quality_document(*hostile_dataset(tmp_path)))
    html.encode("utf-8")
    found = Page(html)
    assert found.problems == []
    assert "<script" not in html.casefold()
    assert clean(HOSTILE) in found.foreign
    assert sum("<script>alert(" in one for one in found.foreign) > 50
    assert not re.search(r"[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)


def test_very_many_columns_files_and_problems_leave_the_page_readable(tmp_path: Path) -> None:
    data = Good(songs=60)
    own = [f"number {i}" for i in range(120)]
    for song in data.songs:
        song |= dict.fromkeys(own, "many")
    files = data.files() | {f"users/{i}.csv": f"user,a{i}\nu{i}\n" for i in range(50)}
    html = page(document_of(tmp_path, files, features_numeric=own))
    found = Page(html)
    assert found.problems == []
    assert len(html) < 500_000
    for said in ("more columns, which quality_report.json has", "12 files more", "different sets of columns", "see quality_report.json"):
        assert said in found.text


@pytest.mark.parametrize(
    "numbers", [["1e38", "-1e38"], ["3.4e38", "-3.4e38", "0"], ["1e30"] * 3, ["1e-45", "0"], ["0"], ["0.1", "0.10000001"], ["nan", "inf"]]
)
def test_numbers_of_any_size_are_drawn(tmp_path: Path, numbers: list[str]) -> None:
    songs = [f"{i},{number},{number}" for i, number in enumerate(numbers)]
    events = [f"u,{i},{number}\nv,{i},1" for i, number in enumerate(numbers)]
    files = {"items/a.csv": "\n".join(["id,own,year", *songs]), "interactions/a.csv": "\n".join(["user,item,value", *events])}
    found = shown(tmp_path, files, features_numeric="own", weighting="value")
    assert found.problems == []
    labels = [part.text or "" for drawing in found.drawings for part in drawing.iter()]
    assert len(labels) > 20
    assert not [label for label in labels if re.search(r"\b(nan|inf|None)\b", label)]


CELL = st.one_of(
    st.text(max_size=8),
    st.text("<>&\"'=/ \0\r\n\u202e\u200d", max_size=8),
    st.sampled_from(["</td>", "<!--", "]]>", "&lt;", "--><script>", "\ud800", "0", "1e38", "-1", "1999", "0.5", "D min", "Yes", HOSTILE]),
)
SONG = st.fixed_dictionaries(
    dict.fromkeys(("id", "title", "artist", "genre", "year", "energy", "tempo", "key", "emotion", "lyrics", "<i>mood", "'\"&"), CELL)
)
EVENT = st.fixed_dictionaries({"user": CELL, "item": CELL, "timestamp": CELL})


@hypothesis(max_examples=30, deadline=None)
@given(songs=st.lists(SONG, min_size=1, max_size=6), events=st.lists(EVENT, max_size=6), drawn=st.data())
def test_odd_cells_never_break_the_page(
    tmp_path_factory: pytest.TempPathFactory, songs: list[dict[str, str]], events: list[dict[str, str]], drawn: st.DataObject
) -> None:
    songs[0] |= {"id": "s<0>"}
    for event in events:
        event |= {"user": event["user"] or "u", "item": drawn.draw(st.sampled_from([song["id"] for song in songs]))}
    if events:
        events[0]["item"] = "s<0>"
    files = {"items/a.jsonl": as_json_lines(songs)} | ({"interactions/a.jsonl": as_json_lines(events)} if events else {})
    document = document_of(tmp_path_factory.mktemp("odd"), files, features_categorical=["<i>mood"], features_numeric=["'\"&"])
    html = page(document)
    html.encode("utf-8")
    assert Page(html).problems == []
    assert json.loads(json.dumps(document, allow_nan=False)) == document

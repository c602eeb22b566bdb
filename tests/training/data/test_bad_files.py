"""The table of bad input: each kind of broken file or odd value, and what becomes of it."""

import gzip
import io
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from training.data.dataset import MISSING_TIME, Dataset
from training.data.errors import UserDataError
from training.data.problems import Kind

Extract = Callable[..., Dataset]
MOMENT = 1_700_000_000
LONG = "x" * 10_000
RIGHT_TO_LEFT = "\u202eأغنية\u202c"
LYRICS = '"I said ""hello"",\nyou said\r\ngoodbye\n\n"'


def parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pa.parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


def events(*rows: str, header: str = "user,item,time") -> str:
    return "\n".join([header, *rows, ""])


def nowhere() -> bytes:
    sink = io.BytesIO()
    times = pa.array([1_700_000_000], pa.timestamp("us", "Nowhere/Town"))
    pa.parquet.write_table(pa.table({"user_id": ["u"], "item_id": ["i"], "time": ["x"], "rating": times}), sink)
    return sink.getvalue()


# what it is: the files, and how the sentence reads that ends the job
REFUSED: dict[str, tuple[dict[str, str | bytes], str]] = {
    "another delimiter in the rows": (
        {"items/a.csv": "id,title\n1;One\n2;Two\n"},
        r"none of its 2 rows is a usable song \(misshapen row: 2; the first: items/\S+, row 1: misshapen row: ",
    ),
    "another delimiter throughout": ({"items/a.csv": "id:title\n1:One\n"}, r"no column of the header holds the song; it has: id:title"),
    "truncated gzip": ({"items/a.csv.gz": gzip.compress(os.urandom(9000))[:-500]}, r"a\.csv\.gz: cannot be read"),
    "gzip that is none": ({"items/a.csv.gz": "id\n1\n"}, "the content is not gzip"),
    "corrupt Parquet": ({"items/a.parquet": b"PAR1" + os.urandom(500) + b"PAR1"}, r"a\.parquet: cannot be read as Parquet"),
    "Parquet cut off": ({"items/a.parquet": parquet(id=["1"])[:-30]}, r"a\.parquet: cannot be read as Parquet"),
    "UTF-16": ({"items/a.csv": "id\n1\n".encode("utf-16")}, "the file is UTF-16; save it as UTF-8"),
    "Latin-1": ({"items/a.csv": "id,title\n1,Fünf\n".encode("latin-1")}, "save it as UTF-8"),
    "a quote never closed": ({"items/a.csv": 'id,title\n1,"One\n2,Two\n3,Three\n'}, "opened and never closed"),
    "a column of records": ({"items/a.parquet": parquet(id=[{"a": 1}])}, 'the column "id" holds records'),
    "no header": ({"interactions/a.csv": "u1,i1,5\nu2,i2,6\n"}, "no column of the header holds the listener"),
    "only NaN ids": (
        {"interactions/a.parquet": parquet(user=[np.nan], item=[1])},
        r"none of its 1 rows .*missing id: 1; the first: interactions/a.parquet, column \"user\", row 1",
    ),
    "text after a closing quote": ({"items/a.csv": 'id,title\n1,"Heroes\n2,b\n3,"Low\n4,d\n'}, 'followed by other text, "Low'),
    "a header that does not end": ({"items/a.csv": "id," + "column," * 20_000 + "x\n1\n"}, "its first line, .* is longer than 64 KB"),
    "Latin-1 in JSON Lines": ({"items/a.jsonl": '{"id": "Fünf"}\n'.encode("latin-1")}, "save it as UTF-8"),
    "UTF-16 in JSON Lines": ({"items/a.jsonl": '{"id": 1}\n'.encode("utf-16")}, "the file is UTF-16; save it as UTF-8"),
    "text after a JSON array": ({"items/a.json": '[{"id": 1}] more'}, "after an array stands"),
    "a comma missing in a JSON array": ({"items/a.json": '[{"id": 1 "x": 2}]' + " " * 5_000_000}, "value 1: Expecting ',' delimiter"),
    "a time zone that nobody knows": ({"interactions/a.parquet": nowhere()}, "a value cannot be read: .*Nowhere"),
    "words for JSON": ({"items/a.jsonl": "one\ntwo\n"}, "no line is a JSON object"),
    "JSON array cut off": ({"items/a.json": '[{"id": 1}, {"id"'}, "neither JSON Lines nor a JSON array"),
    "a spreadsheet": ({"items/a.xlsx": b"PK\x03\x04" + bytes(50)}, "is not text"),
    "nothing usable": ({"interactions/a.csv": events(",,", ",i,")}, r"none of its 2 rows is a usable event"),
    "nothing at all": ({"interactions/a.csv": "", "items/_SUCCESS": ""}, "no data to train on"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_cannot_be_used_ends_the_job_with_one_sentence(extract_files: Extract, what: str) -> None:
    files, sentence = REFUSED[what]
    with pytest.raises(UserDataError, match=sentence) as error:
        extract_files(files)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 900


def uuids() -> bytes:
    sink = io.BytesIO()
    times = pa.array([1_700_000_000_000_000], pa.timestamp("ms"))  # microseconds that are called milliseconds
    pa.parquet.write_table(pa.table({"user_id": pa.array([b"0" * 16], pa.uuid()), "item_id": ["i"], "time": times}), sink)
    return sink.getvalue()


# what it is: the files, and what the dataset then has
Check = Callable[[Dataset], bool]
USED: dict[str, tuple[dict[str, str | bytes], Check]] = {
    "ids with commas, quotes, NUL, emoji and newlines": (
        {"interactions/a.csv": 'user,item\n"a,b","say ""x"""\n"c\0d",🎵\n"e\nf",g\n'},
        lambda d: d.user_ids.tolist() == ["a,b", "c\0d", "e\nf"] and d.item_ids.tolist() == ["g", 'say "x"', "🎵"],
    ),
    "ids of 10,000 characters": ({"interactions/a.csv": events(f"{LONG},{LONG}y,")}, lambda d: d.item_ids.tolist() == [f"{LONG}y"]),
    "right-to-left text": (
        {"items/a.csv": f"id,title\n1,{RIGHT_TO_LEFT}\n"},
        lambda d: d.catalogue is not None and d.catalogue.titles.tolist() == [RIGHT_TO_LEFT],
    ),
    "mixed types in a column": (
        {"items/a.csv": "id,energy\n1,0.5\n2,high\n3,\n4,7\n"},
        lambda d: (
            d.ledger.problems[Kind("items", "unreadable_value", "energy")].count == 1
            and d.ledger.problems[Kind("items", "out_of_range", "energy")].count == 1
            and d.n_items == 4
        ),
    ),
    "ids that are numbers in one file and text in another": (
        {"interactions/a.parquet": parquet(user=[1, 2], item=[7, 8]), "interactions/b.csv": events("1,7,", "1,8,")},
        lambda d: d.user_ids.tolist() == ["1", "2"] and len(d.interactions) == 3,
    ),
    "negative plays": (
        {"interactions/a.csv": "user,item,plays\nu,i,-3\nu,j,2\n"},
        lambda d: d.ledger.problems[Kind("interactions", "out_of_range", "plays")].count == 1,
    ),
    "NaN ids": (
        {"interactions/a.parquet": parquet(user=[1.0, np.nan, 3.0], item=["a", "b", None])},
        lambda d: d.user_ids.tolist() == ["1"] and d.counts["interactions.dropped_missing_id"] == 2,
    ),
    "the word nan as an id": (
        {"interactions/a.csv": events("nan,i,", "u,NULL,")},
        lambda d: d.ledger.problems[Kind("interactions", "placeholder_id", "user")].count == 1 and d.n_users == 2,
    ),
    "times in s, ms, ISO and in the future": (
        {"interactions/a.csv": events(f"u,a,{MOMENT}", f"u,b,{MOMENT}000", "u,c,2023-11-14T22:13:20Z", "u,d,2999-01-01", "u,e,soon")},
        lambda d: (
            d.interactions.timestamps is not None
            and d.interactions.timestamps.tolist() == [MOMENT, MOMENT, MOMENT, MISSING_TIME, MISSING_TIME]
            and {kind.kind for kind in d.ledger.problems} == {"future_time", "broken_time"}
        ),
    ),
    "rows with too few and too many values": (
        {"interactions/a.csv": events("u,a,", "u", "u,b,1,2,3", "u,c,")},
        lambda d: d.counts["interactions.dropped_misshapen_row"] == 2 and d.n_items == 2,
    ),
    "quoted newlines in lyrics": (
        {"items/a.csv": f"id,lyrics,title\n1,{LYRICS},One\n2,{LYRICS},Two\n"},
        lambda d: d.catalogue is not None and d.catalogue.titles.tolist() == ["One", "Two"] and d.catalogue.terms["lyrics"].shape[0] == 2,
    ),
    "a byte-order mark, no last newline, empty shards": (
        {"items/0.csv": "\ufeffid,title\n1,One", "items/1.csv": "", "items/2.csv": "id,title\n", "items/x/_SUCCESS": "", "items/x/.y": "z"},
        lambda d: d.item_ids.tolist() == ["1"] and d.counts["items.files_ignored"] == 3,
    ),
    "an empty line before the header": ({"items/a.csv": "\r\n\nid,title\n1,One\n"}, lambda d: d.item_ids.tolist() == ["1"]),
    "JSON arrays one after the other": (
        {"items/a.json": '[{"id": 1}, {"id": 2}]\n[]\n[{"id": 3}]\n'},
        lambda d: d.item_ids.tolist() == ["1", "2", "3"] and d.counts["items.rows_read"] == 3,
    ),
    "a quote inside a value, and an odd last row": (
        {
            **{"items/0.csv": 'id,title\n1,7" single\n2,b,c\n', "items/1.csv": 'id,title\n3,7" single\n4,song \n'},
            **{"items/2.csv": 'id,title\n5,7" single\n6,"b\nc"\n', "items/3.tsv": 'id\ttitle\tx\n7\t7" single\t1\n8\tb\t\n'},
            **{"items/4.csv": f'id,title\n9,7" single\n10,{LONG * 8}\n'},
        },
        lambda d: d.n_items == 9 and d.counts["items.dropped_misshapen_row"] == 1,
    ),
    "a value of 9 MB in gzip": ({"items/a.csv.gz": gzip.compress(f"id,lyrics\n1,{LONG * 900}\n2,x\n".encode())}, lambda d: d.n_items == 2),
    "Amazon Personalize's escapes in gzip": (
        {"interactions/a.csv.gz": gzip.compress(b'USER_ID,ITEM_ID,TIMESTAMP\n"u1","a \\"x\\", b",1\n"u2","c",2\n')},
        lambda d: d.item_ids.tolist() == ['a "x", b', "c"],
    ),
    "UUIDs as ids, and times beyond the calendar": (
        {"interactions/a.parquet": uuids()},
        lambda d: (
            d.user_ids.tolist() == ["30303030-3030-3030-3030-303030303030"]
            and d.ledger.problems[Kind("interactions", "future_time", "time")].count == 1
        ),
    ),
    "records nested 400 deep": (
        {"interactions/a.jsonl": '{"user": "u", "item": ' + "[" * 400 + "]" * 400 + '}\n{"user": "u", "item": "i"}\n'},
        lambda d: d.counts["interactions.dropped_misshapen_row"] == 1,
    ),
    "a key that is no text": ({"items/a.jsonl": '{"id": 1, "title\\ud83d": "x"}\n'}, lambda d: d.n_items == 1),
    "now and today for a time": (
        {"interactions/a.csv": events("u,a,now", "u,b,today")},
        lambda d: d.ledger.problems[Kind("interactions", "broken_time", "time")].count == 2,
    ),
    "empty times and values of events": (
        {"interactions/a.csv": "user,item,time,rating\nu,a,,\nu,b,5,1\n"},
        lambda d: {kind.column for kind in d.ledger.problems if kind.kind == "missing_value"} == {"time", "rating"},
    ),
    "words for missing ids of listeners, artists and titles": (
        {"users/a.csv": "user_id\nnull\n", "interactions/a.csv": "user,artist,title\nu,nan,x\n"},
        lambda d: {(kind.channel, kind.column) for kind in d.ledger.problems} == {("users", "user_id"), ("interactions", "artist")},
    ),
    "two channels of events with files of one name": (
        {"interactions/a.csv": "user_id,item_id,timestamp\nu,a,5\n", "train/a.csv": "listener,song_id\nv,b\n"},
        lambda d: (
            d.interactions.timestamps is not None
            and sorted((file.name, file.rows) for file in d.files) == [("interactions/a.csv", 1), ("train/a.csv", 1)]
        ),
    ),
    "a wrong delimiter in some rows": (
        {"items/a.csv": "id,title\n1,One\n2;Two\n"},
        lambda d: d.ledger.problems[Kind("items", "misshapen_row", "")].examples[0].row == 2,
    ),
    "events of songs that the catalogue does not have": (
        {"items/a.csv": "id\ni\n", "interactions/a.csv": events("u,i,", "u,gone,")},
        lambda d: d.ledger.problems[Kind("interactions", "orphan_event", "item")].examples[0].value == '"gone"',
    ),
}


@pytest.mark.parametrize("what", USED)
def test_what_can_be_used_is_used_and_what_is_odd_is_counted(extract_files: Extract, what: str) -> None:
    files, holds = USED[what]
    assert holds(extract_files(files))

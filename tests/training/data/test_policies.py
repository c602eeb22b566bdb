"""What is wrong with the data is found, counted, and repaired, dropped or refused as the settings say; never in silence."""

from collections.abc import Callable

import numpy as np
import pytest

from training.data import extract as extract_module
from training.data.dataset import Dataset
from training.data.errors import UserDataError
from training.data.policies import POLICIES
from training.data.problems import Example, Kind

Extract = Callable[..., Dataset]
SONGS = (
    "track_id,track_name,artists,energy,tempo,year\n"
    "s1,One,A,0.5,120,1999\n"
    "s2,Two,B,loud,120,2001\n"
    "s3,Three,C,1.5,0,\n"
    "s1,One,A,0.5,120,1999\n"
    ",Nameless,D,0.1,90,2000\n"
    "s4,one,a,0.6,100,2000,surplus\n"
    "s5,one,a,0.6,100,2000\n"
)
EVENTS = "user,item,time\nu1,s1,2020-01-01\nu1,s9,2020-01-02\nu2,s2,soon\nu2,s3,2999-01-01\n,s1,2020-01-01\nNaN,s1,2020-01-01\n"
FILES = {"items/songs.csv": SONGS, "interactions/events.csv": EVENTS}
# kind of problem: its channel, column, row and value
FOUND = {
    "misshapen_row": ("items", "", 6, '"s4,one,a,0.6,100,2000,surplus"'),
    "missing_id": ("interactions", "user", 5, '""'),
    "placeholder_id": ("interactions", "user", 6, '"NaN"'),
    "unreadable_value": ("items", "energy", 2, '"loud"'),
    "out_of_range": ("items", "energy", 3, '"1.5"'),
    "missing_value": ("items", "year", 3, '""'),
    "duplicate_row": ("items", "track_id", 4, '"s1"'),
    "duplicate_song": ("items", "track_name", 7, '"s5"'),
    "orphan_event": ("interactions", "item", 2, '"s9"'),
    "broken_time": ("interactions", "time", 3, '"soon"'),
    "future_time": ("interactions", "time", 4, '"2999-01-01"'),
}


def file_of(channel: str) -> str:
    return {"items": "items/songs.csv", "interactions": "interactions/events.csv"}[channel]


def test_every_kind_of_problem_is_looked_for_and_has_a_test() -> None:
    assert FOUND.keys() == POLICIES.keys()


@pytest.mark.parametrize("kind", FOUND)
def test_a_problem_is_counted_with_file_column_row_and_value(extract_files: Extract, kind: str) -> None:
    channel, column, row, value = FOUND[kind]
    problem = extract_files(FILES).ledger.problems[Kind(channel, kind, column)]
    assert Example(file_of(channel), row, value) in problem.examples
    assert problem.count >= 1


@pytest.mark.parametrize("kind", FOUND)
@pytest.mark.parametrize("piece_bytes", [20, 1 << 20])
def test_a_refused_problem_ends_the_job_with_a_sentence_that_names_the_place(
    extract_files: Extract, monkeypatch: pytest.MonkeyPatch, kind: str, piece_bytes: int
) -> None:
    monkeypatch.setattr(extract_module, "MEGABYTE", piece_bytes / 64)
    channel, column, row, value = FOUND[kind]
    with pytest.raises(UserDataError) as error:
        extract_files(FILES, **{f"quality_{kind}": "refuse"})
    message = str(error.value)
    if kind == "missing_id":  # the catalogue is read first
        channel, column, row = "items", "track_id", 5
    if kind in ("out_of_range", "missing_value"):
        assert file_of(channel) in message
    else:
        assert message.startswith(file_of(channel) + (f', column "{column}"' if column else "") + f", row {row}: ")
        assert value in message
    assert f"quality_{kind}" in message
    assert "\n" not in message


@pytest.mark.parametrize("kind", [kind for kind, actions in POLICIES.items() if "drop" in actions])
def test_a_dropped_problem_loses_its_rows_and_counts_them(extract_files: Extract, kind: str) -> None:
    counts = extract_files(FILES, **{f"quality_{kind}": "drop"}).counts
    for channel in ("items", "interactions"):
        left = {"items": "items.songs", "interactions": "interactions.entries"}[channel]
        dropped = sum(count for key, count in counts.items() if key.startswith(f"{channel}.dropped_"))
        assert counts[f"{channel}.rows_read"] == dropped + counts.get(f"{channel}.rows_merged", 0) + counts[left]
    if kind != "duplicate_row":
        assert counts[f"{FOUND[kind][0]}.dropped_{kind}"] >= 1


def test_repaired_values_are_missing_and_their_songs_stay(extract_files: Extract) -> None:
    dataset = extract_files(FILES)
    catalogue = dataset.catalogue
    assert catalogue is not None
    energy = dict(zip(dataset.item_ids, catalogue.audio[:, catalogue.audio_names.index("energy")], strict=True))
    assert np.isnan([energy["s2"], energy["s3"], energy["s9"]]).all()
    assert dataset.item_ids.tolist() == ["s1", "s2", "s3", "s5", "s9"]


def test_songs_of_one_title_and_artist_become_one_and_events_of_the_other_id_follow(extract_files: Extract) -> None:
    files = {**FILES, "interactions/more.csv": "user,item\nu1,s5\nu3,s5\n"}
    dataset = extract_files(files, quality_duplicate_song="repair")
    assert dataset.item_ids.tolist() == ["s1", "s2", "s3", "s9"]
    assert dataset.counts["items.songs_merged_by_title_and_artist"] == 1
    pairs = {
        (dataset.user_ids[u], dataset.item_ids[i]) for u, i in zip(dataset.interactions.users, dataset.interactions.items, strict=True)
    }
    assert {("u1", "s1"), ("u3", "s1")} <= pairs
    assert dataset.counts["interactions.rows_merged"] == 1


def test_of_rows_of_one_id_only_the_fullest_counts_if_the_others_are_dropped(extract_files: Extract) -> None:
    rows = "id,genre,energy\n1,rock,\n1,pop,0.5\n"
    kept = extract_files({"items/a.csv": rows}).catalogue
    dropped = extract_files({"items/a.csv": rows}, quality_duplicate_row="drop").catalogue
    assert kept is not None
    assert dropped is not None
    assert kept.genres == [("pop", "rock")]
    assert dropped.genres == [("pop",)]


def test_negative_plays_are_out_of_range_and_negative_values_are_not(extract_files: Extract) -> None:
    plays = extract_files({"interactions/a.csv": "user,item,plays\nu,i,3\nu,j,-2\n"})
    assert plays.ledger.problems[Kind("interactions", "out_of_range", "plays")].examples == [Example("interactions/a.csv", 2, '"-2"')]
    values = extract_files({"interactions/a.csv": "user,item,value\nu,i,3\nu,j,-2\n"})
    assert not values.ledger.problems


def test_what_is_found_does_not_depend_on_the_size_of_the_pieces(extract_files: Extract, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = extract_files(FILES)
    monkeypatch.setattr(extract_module, "MEGABYTE", 20 / 64)
    cut = extract_files(FILES)
    assert whole.ledger.problems == cut.ledger.problems
    assert whole.counts == cut.counts
    assert whole.steps == cut.steps

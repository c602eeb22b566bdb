"""From rows of a catalogue to one song per id."""

from collections.abc import Callable

import numpy as np
import pytest

from inference.features.attributes import AUDIO
from inference.features.values import names as split_names
from training.data.dataset import Catalogue, Dataset
from training.data.ids import song_key
from training.data.problems import Example, Kind

Extract = Callable[..., Dataset]


def songs(dataset: Dataset) -> Catalogue:
    assert dataset.catalogue is not None
    return dataset.catalogue


def feature(dataset: Dataset, name: str) -> list[float]:
    catalogue = songs(dataset)
    return [round(value, 4) for value in catalogue.audio[:, catalogue.audio_names.index(name)].tolist()]


SONGS_FILE = """Artist(s),song,Length,Genre,Release Date,Tempo,Loudness (db),Popularity,Energy,Danceability,Positiveness,Instrumentalness
"A,B B",Hello  World,03:47,"hip hop,trap",29th April 2013,105,-6.85db,40,83,71,87,1
"a,b b",HELLO WORLD,,"trap,pop",,,,41,,,,
C,Ünder,1:00:00,rock,2013,,-7db,,0,100,1,0
"""


def test_the_values_of_the_songs_file_are_normalised_and_its_repeated_song_merged(extract_files: Extract) -> None:
    dataset = extract_files({"items/songs.csv": SONGS_FILE})
    catalogue = songs(dataset)
    assert dataset.item_ids.tolist() == ["a,b b - hello world", "c - ünder"]
    assert catalogue.titles.tolist() == ["Hello  World", "Ünder"]
    assert catalogue.artist_texts.tolist() == ["A, B B", "C"]
    assert catalogue.artists == [("a", "b b"), ("c",)]
    assert catalogue.genres == [("hip hop", "pop", "trap"), ("rock",)]
    assert catalogue.years.tolist() == [2013, 2013]
    assert catalogue.popularity[0] == 40
    assert catalogue.known.all()
    assert catalogue.audio_names == tuple(name for name in AUDIO if name not in ("speechiness", "acousticness", "liveness"))
    assert feature(dataset, "duration") == [227, 3600]
    assert feature(dataset, "energy") == [0.83, 0]
    assert feature(dataset, "valence") == [0.87, 0.01]
    assert feature(dataset, "loudness") == [-6.85, -7]
    assert dataset.counts["items.rows_merged"] == 1
    assert dataset.n_users == len(dataset.interactions) == 0


TRACKS_FILE = """track_id,artists,track_name,popularity,duration_ms,danceability,energy,tempo,track_genre
1,Tyler;The Creator,Same,73,230666,0.676,0.461,87.9,acoustic
1,Tyler;The Creator,Same,73,230666,0.676,0.461,87.9,pop
2,"Earth, Wind & Fire",None,0,149610,0.42,1.3,0,
3,,,0,0,,x,120,pop
,lost,lost,1,1,0,0,100,pop
"""


def test_a_song_in_one_row_per_genre_becomes_one_song_with_all_genres(extract_files: Extract) -> None:
    dataset = extract_files({"items/dataset.csv": TRACKS_FILE})
    catalogue = songs(dataset)
    assert dataset.item_ids.tolist() == ["1", "2", "3"]
    assert catalogue.titles.tolist() == ["Same", "None", ""]
    assert catalogue.artists == [("tyler", "the creator"), ("earth, wind & fire",), ()]
    assert catalogue.genres == [("acoustic", "pop"), (), ("pop",)]
    assert np.isnan(catalogue.years).all()
    assert feature(dataset, "duration")[:2] == [230.666, 149.61]


def test_values_that_cannot_be_are_missing_and_counted(extract_files: Extract) -> None:
    dataset = extract_files({"items/dataset.csv": TRACKS_FILE})
    assert np.isnan([feature(dataset, "energy")[1:], feature(dataset, "tempo")[1:2] * 2]).all()
    found = {(kind.kind, kind.column): problem.count for kind, problem in dataset.ledger.problems.items()}
    wanted = {("out_of_range", "energy"): 1, ("unreadable_value", "energy"): 1, ("out_of_range", "tempo"): 1}
    assert (wanted | {("out_of_range", "duration_ms"): 1, ("missing_id", "track_id"): 1}).items() <= found.items()
    assert dataset.counts["items.dropped_missing_id"] == 1


def test_a_few_values_above_1_are_mistakes_and_not_per_cent(extract_files: Extract) -> None:
    dataset = extract_files({"items/a.csv": "id,energy\n1,0.25\n2,1.5\n3,1\n4,0\n"})
    assert dataset.ledger.problems[Kind("items", "out_of_range", "energy")].examples == [Example("items/a.csv", 2, '"1.5"')]
    assert feature(dataset, "energy")[0] == 0.25


def test_most_values_above_1_are_per_cent(extract_files: Extract) -> None:
    assert feature(extract_files({"items/a.csv": "id,energy\n1,25\n2,15\n3,1\n"}), "energy") == [0.25, 0.15, 0.01]


def test_songs_that_only_events_know_have_empty_fields(extract_files: Extract) -> None:
    files = {"items/a.csv": "item_id,title,energy\ni2,Two,0.5\n", "train/e.csv": "user,item\nu,i1\nu,i2\nu,i3\n"}
    dataset = extract_files(files)
    catalogue = songs(dataset)
    assert catalogue.known.tolist() == [False, True, False]
    assert catalogue.titles.tolist() == ["", "Two", ""]
    assert catalogue.artists == catalogue.genres == [()] * 3
    assert np.isnan(feature(dataset, "energy")[::2]).all()
    assert dataset.counts["interactions.songs_not_in_catalogue"] == 2


def test_events_may_name_songs_by_artist_and_title_or_by_the_text_made_of_them(extract_files: Extract) -> None:
    by_columns = 'user,artist(s),SONG\nu,"A,B B",hello world\n'
    by_text = "user,item\nv,c - ünder\n"
    dataset = extract_files({"items/songs.csv": SONGS_FILE, "train/1.csv": by_columns, "train/2.csv": by_text})
    assert dataset.n_items == 2
    assert len(dataset.interactions) == 2


@pytest.mark.parametrize(
    ("artist", "title", "key"),
    [
        ("Deep  Purple ", "Child\tIn Time", "deep purple - child in time"),
        ("STRAẞE", "E\u0301te\u0301", "strasse - été"),
        ("", "Song", ""),
        (" ", "Song", ""),
    ],
)
def test_the_text_id_of_a_song_ignores_case_spaces_and_composition(artist: str, title: str, key: str) -> None:
    assert song_key(artist, title) == key


@pytest.mark.parametrize(
    ("text", "separators", "names"),
    [
        ("Pop; rock ;pop", "|;,", ["pop", "rock"]),
        ("hip hop,trap|Cloud Rap", "|;,", ["hip hop", "trap", "cloud rap"]),
        ("Tyler, The Creator", ";|", ["tyler, the creator"]),
        ("['Carl', \"Guns N' Roses\"]", ";|", ["carl", "guns n' roses"]),
        ("Animation Children's", " ", ["animation", "children's"]),
        ("a\x1fB", "", ["a", "b"]),
        (" ;; ", ";", []),
    ],
)
def test_names_are_split_at_separators_stripped_and_casefolded(text: str, separators: str, names: list[str]) -> None:
    assert split_names(text, separators) == names


def test_of_several_rows_of_a_song_the_fullest_counts_and_the_others_fill_its_gaps(extract_files: Extract) -> None:
    rows = ["7,,2001,,0.9\n", "7,Full,1999,50,\n", "7,Other,,,0.1\n"]
    for order in (rows, rows[::-1]):
        catalogue = songs(extract_files({"items/a.csv": "id,title,year,popularity,energy\n" + "".join(order)}))
        assert catalogue.titles.tolist() == ["Full"]
        assert catalogue.years.tolist() == [1999]
        assert catalogue.audio[0, 0] == pytest.approx(0.9)


def test_numbers_too_large_to_be_kept_are_missing_and_reported(extract_files: Extract) -> None:
    dataset = extract_files(
        {"items/a.csv": "id,plays,vector\n1,1e300,1 1e200\n2,5,1 2\n"}, features_numeric="plays", features_embedding="vector"
    )
    assert np.isnan(songs(dataset).numbers["plays"]).tolist() == [True, False]
    assert np.isnan(songs(dataset).vectors["vector"]).all(axis=1).tolist() == [True, False]
    assert dataset.ledger.problems[Kind("items", "out_of_range", "plays")].examples == [Example("items/a.csv", 1, '"1e300"')]
    assert dataset.ledger.problems[Kind("items", "unreadable_value", "vector")].count == 1


def test_vectors_have_the_length_that_most_have_however_the_rows_are_cut(extract_files: Extract) -> None:
    rows = ["1,1 2 3", "2,1 2", "3,4 5 6", "4,7 8"]
    header, settings = "id,v\n", {"features_embedding": "v"}
    one = extract_files({"items/a.csv": header + "\n".join(rows) + "\n"}, **settings)
    assert songs(one).vectors["v"].shape == (4, 3)
    assert one.ledger.problems[Kind("items", "unreadable_value", "v")].count == 2
    two = extract_files(
        {"items/a.csv": header + rows[1] + "\n", "items/b.csv": header + "\n".join(rows[i] for i in (0, 2, 3)) + "\n"}, **settings
    )
    np.testing.assert_array_equal(songs(one).vectors["v"], songs(two).vectors["v"])
    assert two.ledger.problems[Kind("items", "unreadable_value", "v")].count == 2


def test_units_are_told_by_all_files_that_call_their_columns_alike(extract_files: Extract) -> None:
    rows = [f"{number},{40 + number},60\n" for number in range(10)]
    dataset = extract_files({"items/a.csv": "id,valence,energy\n" + "".join(rows), "items/b.csv": "id,valence,energy\nb1,1,1\nb2,0,1\n"})
    assert feature(dataset, "valence")[-2:] == [0.01, 0.0]
    assert songs(dataset).units["valence"] == 100


TEXTS, VECTORS = ("hello darkness my friend", "goodbye sunshine our enemy"), ("1 2 3", "4 5 6")


@pytest.mark.parametrize(("column", "values"), [("lyrics", TEXTS), ("v", VECTORS)])
def test_of_rows_that_know_as_much_the_same_is_the_best_in_any_order(extract_files: Extract, column: str, values: tuple[str, str]) -> None:
    settings = {"features_embedding": "v"} if column == "v" else {}
    found = []
    for first, second in (values, values[::-1]):
        two = {"items/1.csv": f"id,{column}\na,{first}\n", "items/2.csv": f"id,{column}\na,{second}\n"}
        dataset = extract_files(two, **settings)
        catalogue = songs(dataset)
        found.append(catalogue.vectors["v"].tolist() if column == "v" else catalogue.terms["lyrics"].indices.tolist())
    assert found[0] == found[1]


def test_the_mode_is_the_columns_or_where_that_says_nothing_the_keys(extract_files: Extract) -> None:
    dataset = extract_files({"items/a.csv": "id,key,mode\n1,D min,\n2,8A,7\n3,D min,1\n4,C,0\n"})
    assert songs(dataset).modes.tolist() == [0, 0, 1, 0]


def test_a_column_that_the_user_named_may_be_called_like_our_own(extract_files: Extract) -> None:
    dataset = extract_files({"items/a.csv": "id,search_terms\n1,5\n"}, features_numeric="search_terms")
    assert songs(dataset).numbers["search_terms"].tolist() == [5]


def test_the_language_is_the_columns_or_else_that_of_the_lyrics(extract_files: Extract) -> None:
    text = "the night is dark and you are not here with me"
    dataset = extract_files({"items/a.csv": f"id,language,lyrics\n1,sv,{text}\n2,,{text}\n"})
    labels = songs(dataset).labels["language"]
    assert [labels.names[code] for code in labels.codes] == ["sv", "en"]

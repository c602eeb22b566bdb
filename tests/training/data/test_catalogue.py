"""From rows to songs, against the obvious way of doing it."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.data.dataset import Dataset

Extract = Callable[..., Dataset]
TITLES = st.sampled_from(["a", "b", "c", "d"])
ROWS = st.lists(st.tuples(TITLES, st.sets(st.sampled_from(["pop", "rock", "folk"]))), min_size=1, max_size=12)
SIMILAR_ROWS = st.lists(st.tuples(TITLES, TITLES | st.just("gone"), st.integers(0, 9)), min_size=1, max_size=12)
a_few_files = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@a_few_files
@given(rows=ROWS)
def test_a_song_has_the_genres_of_all_its_rows(extract_files: Extract, rows: list[tuple[str, set[str]]]) -> None:
    lines = [f"{title},{'|'.join(sorted(genres, reverse=True))}\n" for title, genres in rows]
    dataset = extract_files({"items/a.csv": "id,genre\n" + "".join(lines)})
    assert dataset.catalogue is not None
    expected = {title: tuple(sorted(set().union(*(genres for other, genres in rows if other == title)))) for title, _ in rows}
    assert dict(zip(dataset.item_ids.tolist(), dataset.catalogue.genres, strict=True)) == expected


@a_few_files
@given(rows=SIMILAR_ROWS)
def test_pairs_that_the_catalogue_calls_similar_come_once_with_their_largest_score(
    extract_files: Extract, rows: list[tuple[str, str, int]]
) -> None:
    lines = [f"X,{title},50,X,{other},0.{score}\n" for title, other, score in rows]
    header = "Artist(s),song,Positiveness,Similar Artist 1,Similar Song 1,Similarity Score 1\n"
    dataset = extract_files({"items/a.csv": header + "".join(lines)})
    assert dataset.catalogue is not None
    assert dataset.catalogue.similar is not None
    titles = {title for title, _, _ in rows}
    expected: dict[tuple[str, str], float] = {}
    for title, other, score in rows:
        if other in titles:
            expected[title, other] = max(score / 10, expected.get((title, other), 0.0))
    names = [item_id.removeprefix("x - ") for item_id in dataset.item_ids.tolist()]
    froms, tos, scores = dataset.catalogue.similar
    found = [((names[one], names[other]), round(float(score), 6)) for one, other, score in zip(froms, tos, scores, strict=True)]
    assert found == sorted(expected.items())
    assert dataset.counts.get("items.similar_songs_not_in_catalogue", 0) == sum(other not in titles for _, other, _ in rows)

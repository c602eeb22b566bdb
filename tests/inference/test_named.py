"""Songs of many requests are looked up together, and each gets what it would get alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inference.named import Named
from inference.request import Event, Request
from inference.vocabulary import UNKNOWN, Vocabulary

SONGS = Vocabulary.of([f"s{number}" for number in range(8)])
IDS = st.lists(st.sampled_from([f"s{number}" for number in range(11)]), max_size=4).map(tuple)  # the last three are unknown
REQUESTS = st.builds(
    lambda events, items, exclude, candidates, songs: Request(
        user_id="u",
        events=tuple(Event(id_) for id_ in events),
        items=items,
        exclude=exclude,
        candidates=candidates,
        songs=tuple({"item_id": id_} for id_ in songs),
    ),
    IDS,
    IDS,
    IDS,
    st.none() | IDS,
    IDS,
)


def numbers(ids: tuple[str, ...]) -> list[int]:
    return [SONGS.number(id_) for id_ in ids]


@given(st.lists(REQUESTS, max_size=4))
def test_each_request_gets_the_numbers_of_its_own_ids(requests: list[Request]) -> None:
    found = Named.of_each(requests, SONGS)
    assert len(found) == len(requests)
    for request, named in zip(requests, found, strict=True):
        events = tuple(event.item_id for event in request.events)
        candidates = request.candidates or ()
        assert named.events.tolist() == numbers(events)
        assert named.items.tolist() == numbers(request.items)
        assert named.candidates.tolist() == numbers(candidates)
        assert named.songs.tolist() == numbers(tuple(song["item_id"] for song in request.songs))
        assert named.exclude.tolist() == numbers(request.exclude)
        told = dict.fromkeys(id_ for id_ in (*events, *request.items, *candidates) if SONGS.number(id_) == UNKNOWN)
        assert named.unknown == tuple(told)

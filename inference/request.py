"""One request: what a caller may ask, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from inference.checks import MAX_ID_CHARACTERS, a_boolean, a_list, a_number, an_id, ids, invalid, kind, refuse_unknown
from inference.errors import RequestError
from inference.rerank.options import NOTHING, OPTION_FIELDS, Options, parse_options

DEFAULT_RECOMMENDATIONS = 10
MAX_RECOMMENDATIONS = 1000
# Of one body, so that the largest batch is answered well within the 60 s that a worker has, and in some hundred megabytes.
MAX_REQUESTS = 10_000
MAX_RECOMMENDATIONS_IN_ALL = 100_000
MAX_SONGS = 100
MAX_CONTEXT_FIELDS = 20


class Event(NamedTuple):
    """Something a listener did just now. ``timestamp``: seconds since 1970 (or milliseconds, …, told by the size); events without one are
    later than those with one, in the order given. A tuple, since a batch has thousands, and a dataclass takes thrice as long to make."""

    item_id: str
    event_type: str | None = None
    event_value: float | None = None
    timestamp: float | None = None


@dataclass(frozen=True)
class Request:
    """A listener (``user_id``, stored history), fresh ``events``, seed ``items``, seed ``songs``, or any of them together.

    ``ordered``: whether ``items`` are in the order in which they were played, the last one the latest (None: yes). ``context``: what the
    listener or playlist is called and is, field to value, as the channel ``users`` of the training said it.

    ``songs`` are described by their attributes, as nobody has them in the catalogue; ``item_id`` among these is how reasons call one.

    ``num_recommendations`` None means 10, or all the candidates where ``candidates`` are given. ``exclude_seen`` None means: leave out
    what the history holds, except when ``candidates`` are to be ranked. ``options`` (filters and re-ranking) are fields of their own
    in a request.
    """

    user_id: str | None = None
    events: tuple[Event, ...] = ()
    items: tuple[str, ...] = ()
    songs: tuple[Mapping[str, Any], ...] = ()
    exclude: tuple[str, ...] = ()
    candidates: tuple[str, ...] | None = None
    num_recommendations: int | None = None
    exclude_seen: bool | None = None
    explain: bool = False
    metadata: bool = False
    options: Options = NOTHING
    ordered: bool | None = None
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def limit(self) -> int:
        if self.num_recommendations is not None:
            return self.num_recommendations
        return DEFAULT_RECOMMENDATIONS if self.candidates is None else min(len(self.candidates), MAX_RECOMMENDATIONS)

    @property
    def leaves_out_seen(self) -> bool:
        return self.candidates is None if self.exclude_seen is None else self.exclude_seen


REQUEST_FIELDS = (*(f.name for f in fields(Request) if f.name != "options"), *OPTION_FIELDS)
EVENT_FIELDS = Event._fields


def parse_request(value: object) -> Request:
    """Checks a decoded JSON value. Raises ``RequestError`` 422 that names the field, what it must be, and the nearest known name."""
    if not isinstance(value, dict):
        raise RequestError(422, "invalid_request", f"A request must be a JSON object, not {kind(value)}.")
    if len(value) == 1 and type(id_ := value.get("user_id")) is str and 0 < len(id_) <= MAX_ID_CHARACTERS:
        return Request(id_)  # as most lines of a batch are
    if not _KNOWN.issuperset(value):
        refuse_unknown(value, REQUEST_FIELDS, "request")
    given = {name: parse(value[name], name) for name, parse in _PARSERS.items() if value.get(name) is not None}
    request = Request(**given, options=parse_options(value))
    if not (request.user_id is not None or request.events or request.items or request.songs or request.context):
        raise RequestError(
            422,
            "empty_request",
            "Give at least one of 'user_id' (a listener), 'events' (what was played), 'items' (seed songs), 'songs' (described ones), "
            "'context' (the name of a playlist, say).",
        )
    return request


def _songs(value: object, name: str) -> tuple[Mapping[str, Any], ...]:
    songs = a_list(value, name)
    if len(songs) > MAX_SONGS:
        raise RequestError(422, "invalid_field", f"'{name}' may have at most {MAX_SONGS} entries, not {len(songs)}.")
    return tuple(_song(song, f"{name}[{i}]") for i, song in enumerate(songs))


def _song(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise invalid(name, "an object", value)
    given = {str(attribute): inner for attribute, inner in value.items() if inner is not None}
    for attribute, inner in given.items():
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, list | Mapping):
                raise invalid(f"{name}.{attribute[:40]}", "a text, a number, true, false, or a list of these", inner)
    return {**given, "item_id": an_id(given["item_id"], f"{name}.item_id")} if "item_id" in given else given


def _context(value: object, name: str) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise invalid(name, "an object", value)
    if len(value) > MAX_CONTEXT_FIELDS:
        raise RequestError(422, "invalid_field", f"'{name}' may have at most {MAX_CONTEXT_FIELDS} fields, not {len(value)}.")
    return {str(key): _word(inner, f"{name}.{str(key)[:40]}") for key, inner in value.items() if inner is not None}


def _word(value: object, name: str) -> str:
    if isinstance(value, str) and len(value) <= MAX_ID_CHARACTERS:
        return value  # an empty one says nothing, and is no mistake
    return an_id(value, name)


def _events(value: object, name: str) -> tuple[Event, ...]:
    return tuple([_event(v, name, i) for i, v in enumerate(a_list(value, name))])


def _event(value: object, of: str, place: int) -> Event:
    """``of[place]`` is the name of the event, which takes as long to write as the rest: only a mistake is told it."""
    if not isinstance(value, dict):
        raise invalid(f"{of}[{place}]", "an object", value)
    if not _KNOWN_OF_EVENT.issuperset(value):
        refuse_unknown(value, EVENT_FIELDS, f"{of}[{place}]")
    id_, type_, number, timestamp = map(value.get, EVENT_FIELDS)
    if id_ is None:
        raise RequestError(422, "invalid_field", f"'{of}[{place}].item_id' is missing.")
    return Event(
        id_ if type(id_) is str and 0 < len(id_) <= MAX_ID_CHARACTERS else an_id(id_, f"{of}[{place}].item_id"),
        None if type_ is None else an_id(type_, "event_type"),
        None if number is None else a_number(number, "event_value"),
        None if timestamp is None else a_number(timestamp, "timestamp"),
    )


def _count(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_RECOMMENDATIONS:
        raise RequestError(422, "invalid_field", f"'{name}' must be a whole number from 1 to {MAX_RECOMMENDATIONS}.")
    return value


_PARSERS: Mapping[str, Callable[[object, str], Any]] = {
    "user_id": an_id,
    "events": _events,
    "items": ids,
    "songs": _songs,
    "exclude": ids,
    "candidates": ids,
    "num_recommendations": _count,
    "exclude_seen": a_boolean,
    "explain": a_boolean,
    "metadata": a_boolean,
    "ordered": a_boolean,
    "context": _context,
}
_KNOWN, _KNOWN_OF_EVENT = frozenset(REQUEST_FIELDS), frozenset(EVENT_FIELDS)

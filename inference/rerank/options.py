"""What a request, or the configuration of a model, may ask of filters and of the re-ranker. Checked for its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from inference.checks import MAX_IDS, a_list, a_number, ids, invalid, optional, refuse_unknown
from inference.errors import RequestError
from inference.rerank.conditions import MAX_CONDITIONS, MAX_VALUES, Filter, parse_filter
from inference.rerank.weights import TERMS, Weights, traded

MAX_BOOSTS = 100
MAX_FACTOR = 1_000.0
MAX_WEIGHT = 1_000.0
MAX_CAP = 1_000
MAX_CAPPED_COLUMNS = 10
SHORTHANDS = tuple(term for term in TERMS if term != "accuracy")


@dataclass(frozen=True)
class Boost:
    """Multiplies the positive scores of some songs: of those that ``filter`` lets through, or of ``items``. Factor 0 takes them out."""

    factor: float
    filter: Filter | None = None
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """None: left out, so the model's default holds. 0 (of ``filter`` {}, of ``boosts`` []) switches a default off.

    ``max_per``: (column, cap) for columns of names; ``max_per_artist`` is that of the artists. ``objectives`` are the weights of all
    terms at once; ``diversity``, ``calibration``, ``novelty`` and ``fairness`` each trade one term against accuracy.
    """

    filter: Filter | None = None
    boosts: tuple[Boost, ...] | None = None
    diversity: float | None = None
    calibration: float | None = None
    novelty: float | None = None
    fairness: float | None = None
    max_per_artist: int | None = None
    max_per: tuple[tuple[str, int], ...] | None = None
    objectives: Weights | None = None

    def over(self, defaults: Options) -> Options:
        """Returns these options, and the defaults where they say nothing. ``objectives`` replace all defaults of single terms."""
        if self == NOTHING or defaults == NOTHING:
            return defaults if self == NOTHING else self
        silent = [name for name in OPTION_FIELDS if getattr(self, name) is None]
        if self.objectives is not None:
            silent = [name for name in silent if name not in SHORTHANDS]
        return replace(self, **{name: getattr(defaults, name) for name in silent})

    @property
    def filters_alone(self) -> bool:
        """Whether they ask for nothing but a filter, if for anything."""
        return all(getattr(self, name) is None for name in OPTION_FIELDS if name != "filter")

    @property
    def weights(self) -> Weights:
        if self.objectives is not None:
            return self.objectives
        return traded({term: share for term in SHORTHANDS if (share := getattr(self, term))})

    @property
    def caps(self) -> tuple[tuple[str, int], ...]:
        """Returns (column, cap) of all caps that hold."""
        artists = (("artist", self.max_per_artist),) if self.max_per_artist else ()
        return artists + tuple((column, cap) for column, cap in self.max_per or () if cap)

    @property
    def conditions(self) -> Filter:
        """Returns all conditions, also those of boosts."""
        return (self.filter or ()) + tuple(one for boost in self.boosts or () for one in boost.filter or ())


NOTHING = Options()
OPTION_FIELDS = tuple(field.name for field in fields(Options))
_NAMES = frozenset(OPTION_FIELDS)


def parse_options(value: Mapping[str, Any]) -> Options:
    """Reads the fields of a decoded JSON object that are options. Raises ``RequestError`` 422 that names the field."""
    if _NAMES.isdisjoint(value) or all(value.get(name) is None for name in OPTION_FIELDS):
        return NOTHING
    options = Options(
        filter=optional(value, "filter", parse_filter),
        boosts=optional(value, "boosts", _boosts),
        diversity=optional(value, "diversity", _share),
        calibration=optional(value, "calibration", _share),
        novelty=optional(value, "novelty", _signed_share),
        fairness=optional(value, "fairness", _share),
        max_per_artist=optional(value, "max_per_artist", _cap),
        max_per=optional(value, "max_per", _caps),
        objectives=optional(value, "objectives", _objectives),
    )
    if options.objectives is not None and (twice := [name for name in SHORTHANDS if getattr(options, name) is not None]):
        raise RequestError(422, "invalid_field", f"Give '{twice[0]}' within 'objectives' or beside it, not both: it is a weight of it.")
    conditions = options.conditions
    if len(conditions) > MAX_CONDITIONS or sum(condition.size for condition in conditions) > MAX_VALUES:
        limit = f"'filter' and 'boosts' may have at most {MAX_CONDITIONS} conditions and {MAX_VALUES} values in all"
        raise RequestError(422, "invalid_field", f"{limit}, not {len(conditions)} and {sum(one.size for one in conditions)}.")
    if (n := sum(len(boost.items) for boost in options.boosts or ())) > MAX_IDS:
        raise RequestError(422, "invalid_field", f"'boosts' may name at most {MAX_IDS} songs in all, not {n}.")
    return options


def _boosts(value: object, name: str) -> tuple[Boost, ...]:
    boosts = a_list(value, name)
    if len(boosts) > MAX_BOOSTS:
        raise RequestError(422, "invalid_field", f"'{name}' may have at most {MAX_BOOSTS} entries, not {len(boosts)}.")
    return tuple(_boost(boost, f"{name}[{i}]") for i, boost in enumerate(boosts))


def _boost(value: object, name: str) -> Boost:
    if not isinstance(value, Mapping):
        raise invalid(name, "an object", value)
    refuse_unknown(value, ("filter", "items", "factor"), name)
    if value.get("factor") is None:
        raise RequestError(422, "invalid_field", f"'{name}.factor' is missing: what positive scores are multiplied by.")
    if (value.get("filter") is None) == (value.get("items") is None):
        raise RequestError(422, "invalid_field", f"'{name}' must have 'filter' or 'items', one of the two: which songs it is about.")
    factor = _between(value["factor"], f"{name}.factor", 0.0, MAX_FACTOR)
    if value.get("items") is not None:
        return Boost(factor, items=ids(value["items"], f"{name}.items"))
    return Boost(factor, parse_filter(value["filter"], f"{name}.filter"))


def _objectives(value: object, name: str) -> Weights:
    if not isinstance(value, Mapping):
        raise invalid(name, f"an object of {', '.join(TERMS)} and their weights", value)
    refuse_unknown(value, TERMS, name)
    given = {term: weight for term, weight in value.items() if weight is not None}
    low = {"novelty": -MAX_WEIGHT}
    weights = {term: _between(weight, f"{name}.{term}", low.get(term, 0.0), MAX_WEIGHT) for term, weight in given.items()}
    if not any(Weights(**weights).__dict__.values()):
        raise RequestError(422, "invalid_field", f"'{name}' must have a weight that is not 0.")
    return Weights(**weights)


def _share(value: object, name: str) -> float:
    return _between(value, name, 0.0, 1.0)


def _signed_share(value: object, name: str) -> float:
    return _between(value, name, -1.0, 1.0)


def _between(value: object, name: str, low: float, high: float) -> float:
    number = a_number(value, name)
    if not low <= number <= high:
        raise RequestError(422, "invalid_field", f"'{name}' must be a number from {low:g} to {high:g}.")
    return number


def _cap(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_CAP:
        raise RequestError(422, "invalid_field", f"'{name}' must be a whole number from 1 to {MAX_CAP}, or 0 for no cap.")
    return value


def _caps(value: object, name: str) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, Mapping):
        raise invalid(name, "an object of columns and how many songs of one name may come", value)
    if len(value) > MAX_CAPPED_COLUMNS:
        raise RequestError(422, "invalid_field", f"'{name}' may have at most {MAX_CAPPED_COLUMNS} columns, not {len(value)}.")
    return tuple((str(column), _cap(cap, f"{name}.{str(column)[:40]}")) for column, cap in value.items())

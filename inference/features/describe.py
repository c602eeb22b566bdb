"""From the attributes of one new song, as somebody wrote them down, to the form that the transforms take."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from inference.features import values
from inference.features.attributes import FLAGS, LABELS, NUMBERS, RANGES, Attributes, Terms
from inference.features.columns import CategoriesColumn, CategoryColumn
from inference.features.language import language
from inference.features.values import as_written, normal
from inference.features.words import term_counts, tokens

ROLES = ("item", "title", "artist", "genre", *NUMBERS, "key", "mode", *FLAGS, *LABELS, "lyrics")
ALIASES = {"item_id": "item", "artists": "artist", "genres": "genre", "release_year": "year"}
PARSERS = {"duration": values.clock_or_number, "year": values.year}
KINDS = ("numeric", "categorical", "text", "embedding")
MOST_NAMES = 100  # of artists, and of genres, of one song
Given = dict[str, Any]


class DescriptionError(ValueError):
    """A song is described in a way that can't be read."""


class UnknownAttributeError(DescriptionError):
    """Nothing that is known of songs has this name. The message names the nearest that is."""


@dataclass(frozen=True)
class Names:
    """How the attributes of a song may be called.

    columns: role -> the column of the training file, "numeric:plays" for one that the user named. divisors: by number what the file's
    is divided by to be in our units (100 for per cent, 1000 for milliseconds); a number under the name of a role, where the file's
    column has another name, is in our units already. numeric, categorical, text, embedding: the columns that the user named.
    widths: by embedding column its dimensions. artist_separators, genre_separators: characters between several in one text.
    """

    columns: dict[str, str] = field(default_factory=dict)
    divisors: dict[str, float] = field(default_factory=dict)
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    embedding: tuple[str, ...] = ()
    widths: dict[str, int] = field(default_factory=dict)
    artist_separators: str = ";|"
    genre_separators: str = "|;,"

    def settings(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def load(cls, settings: Mapping[str, Any]) -> Self:
        fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
        return cls(**fields)

    def attributes(self, raw: Mapping[str, Any]) -> Attributes:
        """Returns the one song's attributes; what is unreadable or out of range is missing. Raises ``DescriptionError``."""
        given = self._by_role(raw)
        key, said_by_key = values.key_and_mode(given.get("key"))
        mode = values.mode(given.get("mode"))
        words = {name: tokens(values.text(given[role])) for role, name in self._texts() if given.get(role) is not None}
        numbers = {name: np.array([number], np.float32) for name, number in self._numbers(given).items()}
        artists = _some_names("artist", given, self.artist_separators)
        genres = sorted(_some_names("genre", given, self.genre_separators))
        return Attributes(
            n_songs=1,
            artists=CategoriesColumn.of_lists([artists]),
            genres=CategoriesColumn.of_lists([genres]),
            keys=np.array([key], np.int8),
            modes=np.array([said_by_key if mode == values.MISSING else mode], np.int8),
            numbers=numbers,
            flags={name: np.array([values.yes_no(given[name])], np.int8) for name in FLAGS if name in given},
            labels=self._labels(given, words.get("lyrics")),
            terms={name: _terms(found) for name, found in words.items()},
            vectors={name: self._vector(name, given.get(f"embedding:{name}")) for name in self.embedding},
        )

    def roles(self) -> dict[str, str]:
        """Returns all names that an attribute may be called by, ours and the file's, and the role of each; where both have one name, it
        is the file's."""
        own = {name: f"{kind}:{name}" for kind in KINDS for name in getattr(self, kind)}
        return {**{role: role for role in ROLES}, **ALIASES, **own, **{column: role for role, column in self.columns.items()}}

    def _by_role(self, raw: Mapping[str, Any]) -> Given:
        """Returns the attributes by role, numbers in our units, names that the user chose as "kind:name"."""
        roles = self.roles()
        given: Given = {}
        for name, value in raw.items():
            role = roles.get(name)
            if role is None:
                raise UnknownAttributeError(unknown(str(name), list(roles), "attribute of a song"))
            if self.columns.get(role) == name and role in self.divisors:
                value = PARSERS.get(role, values.number)(value) / self.divisors[role]
            given[role] = value
        return given

    def _numbers(self, given: Given) -> dict[str, float]:
        found = {}
        for role in NUMBERS:
            low, high = RANGES[role]
            number = PARSERS.get(role, values.number)(given.get(role))
            found[role] = number if low <= number <= high else math.nan
        for name in self.numeric:
            number = values.number(given.get(f"numeric:{name}"))
            found[name] = number if abs(number) <= values.LARGEST else math.nan
        return found

    def _texts(self) -> list[tuple[str, str]]:
        return [("lyrics", "lyrics"), *((f"text:{name}", name) for name in self.text)]

    def _labels(self, given: Given, lyrics: list[str] | None) -> dict[str, CategoryColumn]:
        labels = {name: _label(given.get(name), normal) for name in LABELS}
        labels["album"] = _one_name(values.text(given.get("album")))
        if lyrics and not len(labels["language"].names):
            labels["language"] = _label(language(lyrics), normal)
        return labels | {name: _label(given.get(f"categorical:{name}"), as_written) for name in self.categorical}

    def _vector(self, name: str, value: object) -> np.ndarray:
        found = values.vector(value)
        width = self.widths.get(name, 0)
        if found is None or len(found) != width:
            return np.full((1, width), np.nan, dtype=np.float32)
        return np.array([found], dtype=np.float32)


def _some_names(role: str, given: Given, separators: str) -> list[str]:
    names = values.names(values.text(given.get(role)), separators)
    if len(names) > MOST_NAMES:
        raise DescriptionError(f'A song can have at most {MOST_NAMES} names as its "{role}", not {len(names)}.')
    return names


def _label(value: object, form: Callable[[str], str]) -> CategoryColumn:
    return _one_name(", ".join(values.names(values.text(value), "", form)))


def _one_name(name: str) -> CategoryColumn:
    return CategoryColumn.of_names(np.array([0 if name else values.MISSING]), [name] if name else [])


def _terms(found: list[str]) -> Terms:
    terms, counts = term_counts(found)
    return Terms(np.array([0, len(terms)], dtype=np.int64), terms, counts)


def unknown(name: str, known: list[str], what: str) -> str:
    """Returns the sentence that there is no ``what`` of this name, with the nearest that is known."""
    plain = {candidate.casefold(): candidate for candidate in reversed(known)}
    near = difflib.get_close_matches(name[:80].casefold(), list(plain), n=1, cutoff=0.5)
    hint = f' Did you mean "{plain[near[0]]}"?' if near else ""
    return f'No {what} is called "{name[:80]}".{hint} Known: {", ".join(dict.fromkeys(known))}.'

"""What a playlist is called and a listener is, as words: cut in training and in a request by this very code.

A name gives each of its words, and itself as a whole where it has several ("name=summer road trip"); a category gives "country=de".
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from inference.features.values import normal
from inference.features.words import tokens
from inference.vocabulary import UNKNOWN, Vocabulary

MAX_WORDS = 200  # of one text: a novel is no name


def field_name(name: str) -> str:
    """A field as it is compared: "Age Group" is "age_group"."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def text_words(field: str, text: str) -> list[str]:
    """The distinct words of a text, and the text as one word where there are several."""
    found = tokens(text)[:MAX_WORDS]
    whole = [f"{field}={' '.join(found)}"] if len(found) > 1 else []
    return [*dict.fromkeys(found), *whole]


def category_words(field: str, value: str) -> list[str]:
    """The one word of a category; none for an empty value."""
    folded = normal(value)
    return [f"{field}={folded}"] if folded else []


def context_of(words: Iterable[str], texts: tuple[str, ...]) -> dict[str, str]:
    """Returns a context that says these words: the whole texts and categories as they are, and words that are in none of them as a text."""
    wholes: dict[str, str] = {}
    single: list[str] = []
    for word in words:
        name, separator, value = word.partition("=")
        if separator:
            wholes.setdefault(name, value)
        else:
            single.append(word)
    said = {token for name in texts for token in wholes.get(name, "").split()}
    rest = [word for word in single if word not in said]
    free = next((name for name in texts if name not in wholes), None)
    return {**wholes, free: " ".join(rest)} if rest and free is not None else wholes


class UnknownFieldError(ValueError):
    """A context names a field that the model does not know. The message says which it does."""


@dataclass(frozen=True)
class ContextWords:
    """The words that the model knows, by number, and the fields that they may come from."""

    vocabulary: Vocabulary
    texts: tuple[str, ...]
    categories: tuple[str, ...]

    def numbers(self, context: Mapping[str, str]) -> np.ndarray:
        """Returns the known words of ``context`` (field to value), int32, distinct, ascending. Raises ``UnknownFieldError``."""
        return self.known(word for field, value in context.items() for word in self._words(field, value))

    def known(self, words: Iterable[str]) -> np.ndarray:
        """Returns the numbers of those words that the model knows, int32, distinct, ascending."""
        found = self.vocabulary.numbers(list(words))
        return np.unique(found[found != UNKNOWN])

    def _words(self, field: str, value: str) -> list[str]:
        name = field_name(field)
        if name in self.texts:
            return text_words(name, value)
        if name in self.categories:
            return category_words(name, value)
        fields = sorted({*self.texts, *self.categories})
        near = difflib.get_close_matches(name[:50], fields, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise UnknownFieldError(f"Unknown field '{field[:50]}' in the context.{hint} Known: {', '.join(fields)}.")

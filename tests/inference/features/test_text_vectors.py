"""Vectors of texts."""

from __future__ import annotations

import numpy as np

from inference.features.attributes import Terms
from inference.features.text_vectors import TextTransform
from inference.features.words import term_counts

RNG = np.random.default_rng(1)
WORDS = [f"word{i}" for i in range(50)]
KEPT = np.sort(np.unique([term_counts(word)[0][0] for word in WORDS])).astype(np.int32)
TRANSFORM = TextTransform(KEPT, RNG.uniform(1, 3, len(KEPT)).astype(np.float32), RNG.normal(size=(len(KEPT), 4)).astype(np.float32))


def terms(texts: list[str]) -> Terms:
    rows = [term_counts(text) for text in texts]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row, _ in rows])]).astype(np.int64)
    return Terms(indptr, np.concatenate([row for row, _ in rows]), np.concatenate([counts for _, counts in rows]))


def test_a_vector_is_the_projected_tf_idf_with_length_one() -> None:
    found = TRANSFORM.apply(terms(["word1 word1 word1 word2 unknown"]))[0]
    first, second = (int(np.searchsorted(KEPT, term_counts(word)[0][0])) for word in ("word1", "word2"))
    idf, components = TRANSFORM.idf.astype(float), TRANSFORM.components.astype(float)
    expected = (1 + np.log(3)) * idf[first] * components[first] + idf[second] * components[second]
    assert np.allclose(found, expected / np.linalg.norm(expected), atol=1e-6)


def test_a_text_has_the_same_bits_alone_and_among_ten_thousand() -> None:
    texts = [" ".join(RNG.choice(WORDS, size=int(RNG.integers(0, 12)))) for _ in range(10_000)]
    together = TRANSFORM.apply(terms(texts))
    for number in range(0, 10_000, 97):
        assert np.array_equal(TRANSFORM.apply(terms([texts[number]]))[0], together[number])
    lengths = np.linalg.norm(together, axis=1)
    assert (np.isclose(lengths, 1, atol=1e-6) == [bool(text) for text in texts]).all()


def test_a_text_without_a_known_word_says_nothing() -> None:
    assert not TRANSFORM.apply(terms(["unknown words", ""])).any()

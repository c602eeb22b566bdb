"""How a song sounds, as numbers: tempo and key in the round."""

from __future__ import annotations

import numpy as np
import pytest

from inference.features.audio import AudioTransform
from inference.features.describe import Names

TRANSFORM = AudioTransform(("energy", "tempo", "duration"), np.array([0.5, 4.8, 5.3]), np.array([0.2, 0.3, 0.4]), True)
PLAIN = Names()


def vector(**song: object) -> dict[str, float]:
    return dict(zip(TRANSFORM.dimensions, TRANSFORM.apply(PLAIN.attributes(song))[0].tolist(), strict=True))


def distance(first: dict[str, float], second: dict[str, float], start: str) -> float:
    return float(np.hypot(*[first[name] - second[name] for name in first if name.startswith(start)]))


def test_numbers_are_standardised_and_clipped_and_what_is_missing_is_the_mean() -> None:
    assert vector(energy=0.7)["energy"] == pytest.approx(1)
    assert vector(energy=0.0)["energy"] == pytest.approx(-2.5)
    assert vector(duration=80_000)["duration"] == 3
    assert not any(vector().values())


def test_a_tempo_heard_twice_as_fast_is_the_same_on_the_circle_and_not_far_in_all() -> None:
    slow, fast, other = vector(tempo=70), vector(tempo=140), vector(tempo=100)
    assert distance(slow, fast, "tempo_octave") == pytest.approx(0, abs=1e-6)
    assert distance(slow, other, "tempo_octave") > 1
    assert distance(vector(tempo=126), vector(tempo=130), "tempo_octave") < 0.4


@pytest.mark.parametrize(
    ("first", "second", "far"),
    [
        ("C maj", "A min", 0),
        ("C maj", "G maj", 0.52),
        ("C maj", "F maj", 0.52),
        ("C maj", "F# maj", 2),
        ("C maj", "C# maj", 1.93),
        ("A min", "E min", 0.52),
    ],
)
def test_keys_that_share_notes_are_near(first: str, second: str, far: float) -> None:
    assert distance(vector(key=first), vector(key=second), "key") == pytest.approx(far, abs=0.01)


def test_a_song_without_a_key_is_as_far_from_all_keys() -> None:
    assert distance(vector(), vector(key="D min"), "key") == pytest.approx(1)


def test_it_comes_back_from_json_and_refuses_what_does_not_fit() -> None:
    again = AudioTransform.load(TRANSFORM.settings())
    assert again.settings() == TRANSFORM.settings()
    with pytest.raises(ValueError, match="do not fit"):
        AudioTransform.load({**TRANSFORM.settings(), "mean": [1.0]})

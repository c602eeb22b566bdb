"""Values arrive as SageMaker, its SDK and tuning jobs write them; every mistake is named in one go."""

from __future__ import annotations

import contextlib
import json
import string
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.hyperparameters import ConfigError, option, options_of, parse


@dataclass(frozen=True)
class Section:
    count: int = option(3, "how many", min=1, max=10)
    rate: float = option(0.5, "how fast", min=0)
    flag: bool = option(False, "whether")
    word: str = option("a", "which", choices=("alpha", "beta"))
    text: str = option("", "anything")
    limit: float | None = option(None, "at most", max=5)
    sizes: tuple[int, ...] = option((1,), "which sizes", min=1, nonempty=True)
    names: tuple[str, ...] = option((), "which names")
    weights: dict[str, float] = field(default_factory=dict, metadata={"help": "how much of each", "min": 0.0})


OPTIONS = options_of(Section)


def read(name: str, value: object) -> object:
    return parse(OPTIONS, {name: value})[name]


def mistakes(**given: object) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(OPTIONS, given)
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("count", "7", 7),
        ("count", "7.0", 7),
        ("count", '"7"', 7),
        ("count", " 7 ", 7),
        ("count", "1e1", 10),
        ("count", 7, 7),
        ("rate", "0.0012345678901", 0.0012345678901),
        ("rate", "1e-3", 0.001),
        ("rate", '"2"', 2.0),
        ("flag", "true", True),
        ("flag", "False", False),
        ("flag", '"true"', True),
        ("flag", True, True),
        ("flag", "0", False),
        ("word", "beta", "beta"),
        ("word", '"beta"', "beta"),
        ("text", "a b", "a b"),
        ("text", '"tab\\tquote\\""', 'tab\tquote"'),
        ("text", "42", "42"),
        ("text", '"', '"'),
        ("text", "", ""),
        ("limit", "", None),
        ("limit", "null", None),
        ("limit", "4.5", 4.5),
        ("sizes", "[5, 10]", (5, 10)),
        ("sizes", "5,10", (5, 10)),
        ("sizes", " 5 , 10 ", (5, 10)),
        ("sizes", '"[5, 10]"', (5, 10)),
        ("sizes", "5", (5,)),
        ("sizes", [5, 10], (5, 10)),
        ("names", "a,b", ("a", "b")),
        ("names", '["a", "b, c"]', ("a", "b, c")),
        ("names", "", ()),
        ("names", "[]", ()),
        ("weights", '{"play": 1, "like": 2.5}', {"play": 1.0, "like": 2.5}),
        ("weights", "play=1, like=2.5", {"play": 1.0, "like": 2.5}),
        ("weights", '"{\\"play\\": 1}"', {"play": 1.0}),
        ("weights", "", {}),
    ],
)
def test_a_value_is_read_as_it_is_sent(name: str, value: object, expected: object) -> None:
    result = read(name, value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("count", "2.5", "must be an integer (1 to 10)"),
        ("count", "many", "must be an integer"),
        ("count", "", "must be an integer"),
        ("count", "0", "must be 1 to 10"),
        ("count", "1_0", "must be an integer"),
        ("count", "__import__('os')", "must be an integer"),
        ("count", "9" * 2500, "must be an integer"),
        ("rate", "nan", "must be a number (at least 0)"),
        ("rate", "inf", "must be a number"),
        ("rate", "1e999", "must be a number"),
        ("rate", "-0.1", "must be at least 0"),
        ("rate", "[1]", "must be a number"),
        ("flag", "maybe", "must be true or false"),
        ("word", "alpa", "must be one of alpha, beta (did you mean alpha?)"),
        ("word", "", "must be one of alpha, beta"),
        ("limit", "6", "must be at most 5"),
        ("sizes", "5,x", "must be a list and each entry an integer (at least 1)"),
        ("sizes", "0,5", "must be at least 1"),
        ("sizes", "", "must have at least one entry"),
        ("sizes", "[5", "must be a list of integer, as JSON ([1, 2]) or with commas (1,2)"),
        ("sizes", "[[5]]", "must be a list of integer"),
        ("sizes", "[" * 2500, "must be a list of integer"),
        ("sizes", "5,5", "must not name an entry twice"),
        ("weights", "play", "must be a map of text to number"),
        ("weights", '{"play": [1]}', "must be a map of text to number"),
        ("weights", "play=much", "must be a map and each value a number (at least 0)"),
        ("weights", "play=-1", "must be at least 0"),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_allowed(name: str, value: str, says: str) -> None:
    (mistake,) = mistakes(**{name: value})
    assert mistake.startswith(f"{name}={json.dumps(value[:57])[:-1]}")
    assert says in mistake
    assert len(mistake) < 250


def test_all_mistakes_are_reported_at_once() -> None:
    found = mistakes(count="x", rate="-1", coutn="3", flag="perhaps", word="alpha")
    assert [mistake.split("=")[0].split(" ")[0] for mistake in found] == ["count", "rate", '"coutn"', "flag"]


def test_the_message_says_first_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r'^Correct the hyperparameter: count="x" must be an integer \(1 to 10\)\.$'):
        parse(OPTIONS, {"count": "x"})
    with pytest.raises(ConfigError, match=r"^Correct 2 hyperparameters: count=.*; rate=.*\.$"):
        parse(OPTIONS, {"count": "x", "rate": "x"})


@pytest.mark.parametrize(("name", "near"), [("coutn", "count"), ("Count", "count"), ("weight", "weights")])
def test_an_unknown_name_is_answered_with_the_nearest_known_one(name: str, near: str) -> None:
    assert mistakes(**{name: "1"}) == (f'"{name}" is not known (did you mean {near}?)',)


def test_a_name_without_its_section_is_answered_with_every_full_one() -> None:
    options = options_of(Section, "first_") + options_of(Section, "second_")
    with pytest.raises(ConfigError, match=r'"count" is not known \(did you mean first_count or second_count\?\)'):
        parse(options, {"count": "1"})


@pytest.mark.parametrize("name", ["sagemaker_program", "sagemaker_submit_directory", "_tuning_objective_metric", "_kfold_index"])
def test_keys_of_the_platform_are_ignored(name: str) -> None:
    assert parse(OPTIONS, {name: '"anything"', "count": "4"}) == {"count": 4}


def test_a_type_that_no_text_can_spell_is_a_fault_of_the_program() -> None:
    @dataclass(frozen=True)
    class Wrong:
        value: bytes = option(b"", "never")

    with pytest.raises(TypeError, match="value"):
        options_of(Wrong)


@given(st.dictionaries(st.sampled_from([o.name for o in OPTIONS]) | st.text(max_size=8), st.text(max_size=30)))
def test_no_text_is_more_than_a_mistake(given_values: dict[str, str]) -> None:
    with contextlib.suppress(ConfigError):
        assert parse(OPTIONS, given_values).keys() <= given_values.keys()


@given(st.integers(1, 10), st.floats(0, 1e300), st.booleans(), st.text(), st.lists(st.integers(1, 2**63), min_size=1, unique=True))
def test_what_json_writes_is_read_back(count: int, rate: float, flag: bool, text: str, sizes: list[int]) -> None:
    values = {"count": count, "rate": rate, "flag": flag, "text": text, "sizes": sizes}
    assert parse(OPTIONS, {name: json.dumps(value) for name, value in values.items()}) == {**values, "sizes": tuple(sizes)}


@given(st.text(alphabet=string.printable))
def test_a_text_without_quotes_is_kept_as_it_is(text: str) -> None:
    if not text.startswith('"'):
        assert read("text", text) == text

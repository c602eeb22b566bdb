"""Metric lines are found by the definitions that the training job gets; the table can be read by people."""

from __future__ import annotations

import re

from training.config import TrainingConfig
from training.evaluation.evaluate import Evaluation
from training.evaluation.text import MAX_DEFINITIONS, metric_definitions, metric_lines, table


def config(**hyperparameters: str) -> TrainingConfig:
    return TrainingConfig.from_hyperparameters(hyperparameters)


def test_a_metric_line_has_the_documented_form(evaluation: Evaluation) -> None:
    lines = metric_lines(evaluation)
    assert "holdout:hybrid:recall_at_4=1.000000" in lines
    assert "holdout:popularity:recall_at_4=0.500000" in lines
    assert "holdout:als:coverage_at_4=0.100000" in lines
    assert all(re.fullmatch(r"holdout:[a-z_]+:[a-z0-9_]+_at_\d+=-?\d+\.\d{6}", line) for line in lines)


def test_every_definition_finds_its_one_line(evaluation: Evaluation) -> None:
    log = "\n".join(["event=stage name=save", *metric_lines(evaluation), table(evaluation)])
    definitions = metric_definitions(config(models="popularity,als", evaluation_k="2,4"))
    found = {one["Name"]: re.findall(one["Regex"], log) for one in definitions}
    assert found.pop("als:recall_at_4") == ["0.000000"]
    assert found["hybrid:recall_at_4"] == ["1.000000"]
    assert all(len(values) == 1 for values in found.values())


def test_definitions_keep_within_sagemakers_limits() -> None:
    for settings in (config(), config(evaluation_k="1,2,3,5,10,20,50,100")):
        definitions = metric_definitions(settings)
        assert len(definitions) <= MAX_DEFINITIONS
        assert all(len(one["Name"]) <= 255 and len(one["Regex"]) <= 500 and re.compile(one["Regex"]).groups == 1 for one in definitions)
        assert len({one["Name"] for one in definitions}) == len(definitions)


def test_the_most_wanted_definitions_come_first() -> None:
    everything, few = ([one["Name"] for one in metric_definitions(settings)] for settings in (config(), config(models="ease,als")))
    for names in (everything, few):
        assert names[:2] == ["hybrid:recall_at_20", "hybrid:ndcg_at_20"]
        assert names.index("hybrid:novelty_at_20") < names.index("popularity:recall_at_20") < names.index("ease:ndcg_at_20")
    assert all(f"{model}:{metric}_at_20" in everything for model in TrainingConfig().models for metric in ("recall", "ndcg"))
    assert few.index("ease:recall_at_20") < few.index("hybrid:gini_at_20") < few.index("hybrid:recall_at_10")


def test_a_single_model_is_compared_with_popularity() -> None:
    names = [one["Name"] for one in metric_definitions(config(models="ease"))]
    assert {"hybrid:recall_at_20", "popularity:recall_at_20", "ease:recall_at_20"} <= set(names)
    assert not any(name.startswith("als") for name in names)


def test_models_beside_the_main_one_have_lines_for_the_longest_list_only(evaluation: Evaluation) -> None:
    lines = metric_lines(evaluation)
    assert any(line.startswith("holdout:hybrid:recall_at_2=") for line in lines)
    assert not any(line.startswith("holdout:als:recall_at_2=") for line in lines)


def test_the_table_has_a_row_for_each_model_and_says_who_is_better(evaluation: Evaluation) -> None:
    lines = table(evaluation).splitlines()
    assert lines[0].startswith("6 listeners (holdout), all songs ranked, k = 4")
    assert [line.split()[0] for line in lines[1:5]] == ["model", "hybrid", "popularity", "als"]
    assert "1.0000 [1.0000 1.0000]" in lines[2]
    assert lines[4].split()[-2] == "-"  # diversity of lists of one song
    assert "hybrid - popularity: recall_at_4 +0.5000 [+0.5000 +0.5000] better" in lines
    assert max(map(len, lines)) < 200

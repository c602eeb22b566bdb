"""The configuration is one frozen object; the README's table and the parser come from it."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from training.config import MODELS, ConfigError, TrainingConfig, markdown_table

ROOT = Path(__file__).resolve().parent.parent.parent


def test_no_hyperparameters_mean_the_defaults() -> None:
    assert TrainingConfig.from_hyperparameters({}) == TrainingConfig()
    assert set(TrainingConfig().models) == set(MODELS) - {"graph", "spectral"}


def test_a_flat_name_reaches_its_section() -> None:
    config = TrainingConfig.from_hyperparameters(
        {
            "models": "ease,als",
            "seed": "7",
            "ease_l2": "2.5",
            "item_knn_neighbours": "30",
            "evaluation_k": "[3]",
            "data_user_column": "playlist_id",
        }
    )
    assert (config.models, config.seed, config.ease.l2, config.item_knn.neighbours) == (("ease", "als"), 7, 2.5, 30)
    assert (config.evaluation.k, config.data.user_column) == ((3,), "playlist_id")
    assert config.pearson == TrainingConfig().pearson


def test_the_configuration_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig().seed = 1  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig().ease.l2 = 1.0  # type: ignore[misc]


def test_mistakes_in_every_section_are_reported_at_once() -> None:
    wrong = {"seed": "x", "ease_l2": "-1", "models": "svd", "hybrid_metric": "mrr", "data_weighting": "tfidf", "als_factor": "8"}
    with pytest.raises(ConfigError) as caught:
        TrainingConfig.from_hyperparameters(wrong)
    assert len(caught.value.mistakes) == len(wrong)
    assert all(name in str(caught.value) for name in [*wrong, "did you mean als_factors?"])


def test_content_without_any_weight_is_refused() -> None:
    nothing = {f"content_{part}_weight": "0" for part in ("artist", "genre", "audio", "year")}
    with pytest.raises(ConfigError, match=r"content_artist_weight.*raise one"):
        TrainingConfig.from_hyperparameters(nothing)


def test_the_flat_form_is_json_and_reads_back_to_an_equal_object() -> None:
    config = TrainingConfig.from_hyperparameters(
        {"evaluation_k": "1,2", "data_event_weights": "play=1,skip=0", "data_min_event_value": "4"}
    )
    flat = json.loads(json.dumps(config.to_flat_dict()))
    assert TrainingConfig.from_hyperparameters({name: json.dumps(value) for name, value in flat.items()}) == config
    assert TrainingConfig.from_hyperparameters(flat) == config


def test_every_hyperparameter_has_a_help_and_a_default_that_is_allowed() -> None:
    rows = {option.name: option for option in TrainingConfig.options()}
    assert len(rows) == len(TrainingConfig.options())
    assert [name for name, option in rows.items() if not option.help] == []
    TrainingConfig.from_hyperparameters({name: json.dumps(value) for name, value in TrainingConfig().to_flat_dict().items()})


def test_the_readme_holds_the_table_of_all_hyperparameters() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("<!-- hyperparameters -->")[1].split("<!-- /hyperparameters -->")[0].strip()
    assert table == markdown_table(), "run: python -m training.config, and put what it prints between the markers in README.md"


def test_the_table_is_printed_for_the_readme_with_one_row_each() -> None:
    command = [sys.executable, "-m", "training.config"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert finished.stdout.strip() == markdown_table()
    assert len(markdown_table().splitlines()) == len(TrainingConfig.options()) + 2


def test_hyperparameters_are_read_without_numpy_and_pandas() -> None:
    code = "import sys, training.config; print({'numpy', 'pandas', 'scipy'} & set(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert finished.stdout.strip() == "set()"

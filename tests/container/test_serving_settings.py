from __future__ import annotations

import json

import pytest

from container.cpus import usable_cpus
from container.serving.settings import MEGABYTE, Settings, StartError


def test_without_variables_it_serves_as_sagemaker_expects() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.workers) == ("0.0.0.0", 8080, usable_cpus())
    assert (settings.timeout, settings.queue_size, settings.max_payload) == (60, 100, 6_291_456)
    assert (settings.default_accept, settings.log_level, settings.jvm_flags) == (None, "info", ())


def test_an_empty_variable_is_no_variable() -> None:
    empty = dict.fromkeys(("SAGEMAKER_BIND_TO_PORT", "SAGEMAKER_MODEL_SERVER_WORKERS", "SAGEMAKER_CONTAINER_LOG_LEVEL"), "")
    assert Settings.from_environment(empty) == Settings.from_environment({})


def test_each_variable_is_heard() -> None:
    settings = Settings.from_environment(
        {
            "SAGEMAKER_BIND_ADDRESS": "127.0.0.1",
            "SAGEMAKER_BIND_TO_PORT": "40000",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
            "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "7",
            "MMS_JOB_QUEUE_SIZE": "9",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "20",
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
            "SAGEMAKER_CONTAINER_LOG_LEVEL": "WARNING",
            "SAGEMAKER_MODEL_SERVER_VMARGS": "-Xmx1g -XX:+UseG1GC",
            "SERVING_BATCH_SIZE": "5",
            "SERVING_CLASS_ARCHIVE": "/opt/some.jsa",
            "MMS_NUMBER_OF_NETTY_THREADS": "8",
        }
    )
    assert (settings.batch_size, settings.class_archive, settings.netty_threads) == (5, "/opt/some.jsa", 8)
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 40000, 3)
    assert (settings.timeout, settings.queue_size, settings.max_payload) == (7, 9, 20 * MEGABYTE)
    assert (settings.default_accept, settings.log_level) == ("text/csv", "warn")
    assert settings.jvm_flags == ("-Xmx1g", "-XX:+UseG1GC")


@pytest.mark.parametrize(("workers", "threads"), [("1", 1), ("2", 1), ("5", 2), ("16", 8)])
def test_two_workers_have_one_thread_of_the_network(workers: str, threads: int) -> None:
    assert Settings.from_environment({"SAGEMAKER_MODEL_SERVER_WORKERS": workers}).netty_threads == threads


def test_the_timeout_is_in_seconds_under_both_of_its_names() -> None:
    assert Settings.from_environment({"SAGEMAKER_MODEL_SERVER_TIMEOUT": "30"}).timeout == 30
    both = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "30", "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "5"}
    assert Settings.from_environment(both).timeout == 5


def test_a_payload_limit_of_0_is_batch_transforms_word_for_no_limit() -> None:
    assert Settings.from_environment({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}).max_payload == 100 * MEGABYTE


@pytest.mark.parametrize(("given", "level"), [("10", "debug"), ("20", "info"), ("40", "error"), ("Debug", "debug"), ("critical", "fatal")])
def test_log_levels_come_as_numbers_and_as_names(given: str, level: str) -> None:
    assert Settings.from_environment({"SAGEMAKER_CONTAINER_LOG_LEVEL": given}).log_level == level


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "0"),
        ("SAGEMAKER_BIND_TO_PORT", "65536"),
        ("SAGEMAKER_BIND_TO_PORT", "8080;x"),
        ("SAGEMAKER_BIND_TO_PORT", "٣"),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "0"),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "-1"),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "1.5"),
        ("SAGEMAKER_MODEL_SERVER_TIMEOUT", "soon"),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "101"),
        ("MMS_JOB_QUEUE_SIZE", "9" * 5000),
        ("SAGEMAKER_CONTAINER_LOG_LEVEL", "loud"),
        ("SAGEMAKER_MULTI_MODEL", "1"),
        ("SERVING_ENGINE", "gunicorn"),
        ("SERVING_BATCH_SIZE", "0"),
        ("MMS_NUMBER_OF_NETTY_THREADS", "-1"),
        ("SERVING_MEMORY_LIMIT_MB", "lots"),
        ("SAGEMAKER_BATCH", "yes"),
        ("SAGEMAKER_BATCH_STRATEGY", "ALL"),
        ("SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", "0"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_in_a_short_line(name: str, value: str) -> None:
    with pytest.raises(StartError) as caught:
        Settings.from_environment({name: value})
    assert str(caught.value).startswith(f"{name}={value[:40]!r} is not ")
    assert len(str(caught.value)) < 200


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(StartError, match=r"SAGEMAKER_BIND_TO_PORT=.*; SAGEMAKER_MODEL_SERVER_WORKERS="):
        Settings.from_environment({"SAGEMAKER_MODEL_SERVER_WORKERS": "abc", "SAGEMAKER_BIND_TO_PORT": "http"})


def test_batch_transform_is_told_as_many_requests_as_there_are_workers() -> None:
    settings = Settings.from_environment({"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "20"})
    expected = {"MaxConcurrentTransforms": 3, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 20}
    assert json.loads(settings.execution_parameters()) == expected


def test_what_batch_transform_is_told_is_within_what_the_platform_allows() -> None:
    """Payload times concurrency may be 100 MB; more is refused when the job is made."""
    for workers, payload, transforms in (("64", "6", 16), ("4", "50", 2), ("4", "0", 1), ("1", "6", 1)):
        variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": workers, "SAGEMAKER_MAX_PAYLOAD_IN_MB": payload}
        told = json.loads(Settings.from_environment(variables).execution_parameters())
        assert told["MaxConcurrentTransforms"] == transforms
        assert told["MaxConcurrentTransforms"] * told["MaxPayloadInMB"] <= 100


@pytest.mark.parametrize(
    ("given", "strategy"), [("MULTI_RECORD", "MULTI_RECORD"), ("SingleRecord", "SINGLE_RECORD"), ("", "SINGLE_RECORD")]
)
def test_a_job_that_chose_for_itself_is_told_its_own_choice(given: str, strategy: str) -> None:
    variables = {"SAGEMAKER_BATCH": "true", "SAGEMAKER_BATCH_STRATEGY": given, "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "500"}
    settings = Settings.from_environment(variables)
    told = json.loads(settings.execution_parameters())
    assert (settings.batch, told["BatchStrategy"], told["MaxConcurrentTransforms"]) == (True, strategy, 500)
    assert settings.queue_size >= 500  # or some would be refused, which fails the job


def test_a_job_that_sends_one_request_at_a_time_has_one_worker() -> None:
    assert Settings.from_environment({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "1"}).workers == 1


@pytest.mark.parametrize(("megabytes", "workers"), [("256", 1), ("1024", 1), ("2048", 2), ("1000000", 64)])
def test_little_memory_has_few_workers_whatever_the_number_of_cpus(monkeypatch: pytest.MonkeyPatch, megabytes: str, workers: int) -> None:
    monkeypatch.setattr("container.serving.settings.usable_cpus", lambda: 64)
    monkeypatch.setattr("container.serving.settings.memory_limit", lambda variables: int(variables["SERVING_MEMORY_LIMIT_MB"]) * MEGABYTE)
    variables = {"SERVING_MEMORY_LIMIT_MB": megabytes}
    assert Settings.from_environment(variables).workers == workers
    assert Settings.from_environment(variables | {"SAGEMAKER_MODEL_SERVER_WORKERS": "5"}).workers == 5


@pytest.mark.parametrize(("megabytes", "payload", "heap"), [("512", "6", 128), ("100", "6", 88), ("4096", "6", 176), ("512", "100", 464)])
def test_the_heap_is_a_quarter_of_little_memory_but_holds_one_body(megabytes: str, payload: str, heap: int) -> None:
    variables = {"SERVING_MEMORY_LIMIT_MB": megabytes, "SAGEMAKER_MAX_PAYLOAD_IN_MB": payload}
    assert Settings.from_environment(variables).heap_mb == heap


@pytest.mark.parametrize(("given", "multi"), [("true", True), ("True", True), ("false", False), ("", False)])
def test_a_multi_model_endpoint_is_asked_for_in_a_word(given: str, multi: bool) -> None:
    assert Settings.from_environment({"SAGEMAKER_MULTI_MODEL": given}).multi_model is multi


@pytest.mark.parametrize(
    ("given", "engine"),
    [("", "multi-model-server"), ("mms", "multi-model-server"), ("multi-model-server", "multi-model-server"), ("Uvicorn", "uvicorn")],
)
def test_the_engine_is_chosen_by_its_name(given: str, engine: str) -> None:
    assert Settings.from_environment({"SERVING_ENGINE": given}).engine == engine

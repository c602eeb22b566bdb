"""The operations on endpoint configurations: records that are checked, and run nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scripts.local_aws.context import Context
from scripts.local_aws.errors import invalid, not_here
from scripts.local_aws.models import Models
from scripts.local_aws.servings import containers_of, is_multi_model

MEMORY_STEP_MB = 1024


class EndpointConfigs:
    """CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig."""

    def __init__(self, context: Context, models: Models) -> None:
        self.records = context.records("EndpointConfig", "EndpointConfigs")
        self._models = models

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Keeps the configuration. Raises ``ApiError`` for what AWS would refuse, and for what is not done here."""
        if request.get("ExplainerConfig"):
            raise not_here("explanations")
        production, shadows = request["ProductionVariants"], request.get("ShadowProductionVariants", [])
        names = [variant["VariantName"] for variant in (*production, *shadows)]
        if len(set(names)) < len(names):
            raise invalid(f"The variants must have names of their own: {', '.join(names)}.")
        kept = {"ProductionVariants": self._checked(production), "ShadowProductionVariants": self._checked(shadows)}
        kinds = set(self._kinds(production))
        if shadows:
            _check_shadows(production, shadows, {*kinds, *self._kinds(shadows), *_asynchronous(request)})
        if "serverless" in kinds:
            _check_serverless(request, production, kinds)
        _check_asynchronous(request, kinds)
        arn = self.records.create(request["EndpointConfigName"], {**request, **{name: value for name, value in kept.items() if value}})
        return {"EndpointConfigArn": arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.records.describe(request["EndpointConfigName"])

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.records.delete(request["EndpointConfigName"])
        return {}

    def _checked(self, variants: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Returns the variants with the defaults of what they leave out."""
        kept = []
        for variant in variants:
            if not variant.get("ModelName"):
                raise not_here("variants without a ModelName, for inference components")
            self._models.records.get(variant["ModelName"])
            serverless = "ServerlessConfig" in variant
            if not serverless and not variant.get("InstanceType"):
                raise invalid(f"The variant {variant['VariantName']} needs an InstanceType or a ServerlessConfig.")
            kept.append({"InitialVariantWeight": 1.0, **({} if serverless else {"InitialInstanceCount": 1}), **variant})
        return kept

    def _kinds(self, variants: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """Yields what is special about the variants."""
        for variant in variants:
            model = self._models.records.get(variant["ModelName"])
            if "ServerlessConfig" in variant:
                yield "serverless"
            if is_multi_model(model):
                yield "multi-model"
            if len(containers_of(model)) > 1:
                yield "multi-container"


def _asynchronous(request: Mapping[str, Any]) -> list[str]:
    return ["asynchronous"] if "AsyncInferenceConfig" in request else []


def _check_shadows(production: Sequence[Mapping[str, Any]], shadows: Sequence[Mapping[str, Any]], kinds: set[str]) -> None:
    if len(production) > 1 or len(shadows) > 1:
        raise invalid("With ShadowProductionVariants there is one production variant and one shadow variant.")
    if kinds:
        raise invalid(f"Shadow variants are not supported for {' and '.join(sorted(kinds))} endpoints.")
    if production[0].get("InitialVariantWeight", 1.0) <= 0:
        raise invalid("The production variant that is shadowed needs a weight above 0: a shadow's share is measured by it.")


def _check_serverless(request: Mapping[str, Any], production: Sequence[Mapping[str, Any]], kinds: set[str]) -> None:
    if len(production) > 1:
        raise invalid("A serverless endpoint has one variant.")
    refused = [*sorted(kinds - {"serverless"}), *_asynchronous(request), *(["data capture"] if captures(request) else [])]
    if refused:
        raise invalid(f"Serverless endpoints do not support this: {', '.join(refused)}.")
    memory = production[0]["ServerlessConfig"]["MemorySizeInMB"]
    if memory % MEMORY_STEP_MB:
        raise invalid(f"MemorySizeInMB {memory} is none of 1024, 2048, 3072, 4096, 5120 and 6144.")


def _check_asynchronous(request: Mapping[str, Any], kinds: set[str]) -> None:
    if "AsyncInferenceConfig" not in request:
        return
    output = request["AsyncInferenceConfig"]["OutputConfig"]
    if output.get("NotificationConfig"):
        raise not_here("notifications of asynchronous inference by SNS")
    if not output.get("S3OutputPath"):
        raise not_here("AsyncInferenceConfig without an S3OutputPath")
    if "multi-model" in kinds:
        raise invalid("Asynchronous endpoints do not support multi-model containers.")
    if captures(request):
        raise not_here("data capture of asynchronous inference")


def captures(config: Mapping[str, Any]) -> bool:
    """Returns whether a configuration asks for data capture; it is on unless it says otherwise."""
    return "DataCaptureConfig" in config and bool(config["DataCaptureConfig"].get("EnableCapture", True))

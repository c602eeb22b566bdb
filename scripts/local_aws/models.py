"""The operations on models and on endpoint configurations: records that are checked, and run nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.local_aws.context import Context
from scripts.local_aws.errors import invalid, not_here
from scripts.local_aws.model_server import source_of


class Models:
    """CreateModel, DescribeModel, ListModels, DeleteModel."""

    def __init__(self, context: Context) -> None:
        self.records = context.records("Model", "Models")

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Keeps the model. Raises ``ApiError`` for what AWS would refuse, and for what is not done here."""
        containers = (
            request.get("Containers") or [request["PrimaryContainer"]] if request.keys() & {"Containers", "PrimaryContainer"} else []
        )
        if not containers or ("Containers" in request and "PrimaryContainer" in request):
            raise invalid("Give either PrimaryContainer or Containers.")
        if len(containers) > 1:
            raise not_here("inference pipelines, of several containers")
        container = containers[0]
        if not container.get("Image"):
            raise not_here("models without an Image, of model packages")
        if container.get("Mode", "SingleModel") == "MultiModel":
            raise not_here("multi-model endpoints", "It serves one model per endpoint variant.")
        source_of(container)
        return {"ModelArn": self.records.create(request["ModelName"], request)}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.records.describe(request["ModelName"])

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.records.delete(request["ModelName"])
        return {}

    def container(self, name: str) -> dict[str, Any]:
        """Returns the definition of a model's container."""
        model = self.records.get(name)
        return dict(model.get("PrimaryContainer") or model["Containers"][0])


class EndpointConfigs:
    """CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig."""

    def __init__(self, context: Context, models: Models) -> None:
        self.records = context.records("EndpointConfig", "EndpointConfigs")
        self._models = models

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Keeps the configuration. Raises ``ApiError`` for what AWS would refuse, and for what is not done here."""
        for member, what in {
            "ShadowProductionVariants": "shadow variants",
            "DataCaptureConfig": "data capture",
            "ExplainerConfig": "explanations",
        }.items():
            if request.get(member) and request[member] != {"EnableCapture": False}:
                raise not_here(what)
        variants = request["ProductionVariants"]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) < len(names):
            raise invalid(f"The variants must have names of their own: {', '.join(names)}.")
        kept = []
        for variant in variants:
            if not variant.get("ModelName"):
                raise not_here("variants without a ModelName, for inference components")
            self._models.records.get(variant["ModelName"])
            if "ServerlessConfig" not in variant and not variant.get("InstanceType"):
                raise invalid(f"The variant {variant['VariantName']} needs an InstanceType or a ServerlessConfig.")
            if "ServerlessConfig" in variant and len(variants) > 1:
                raise invalid("A serverless endpoint has one variant.")
            defaults = {"InitialVariantWeight": 1.0}
            kept.append({**defaults, **({} if "ServerlessConfig" in variant else {"InitialInstanceCount": 1}), **variant})
        if request.get("AsyncInferenceConfig", {}).get("OutputConfig", {}).get("NotificationConfig"):
            raise not_here("notifications of asynchronous inference by SNS")
        if "AsyncInferenceConfig" in request and not request["AsyncInferenceConfig"]["OutputConfig"].get("S3OutputPath"):
            raise not_here("AsyncInferenceConfig without an S3OutputPath")
        arn = self.records.create(request["EndpointConfigName"], {**request, "ProductionVariants": kept})
        return {"EndpointConfigArn": arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.records.describe(request["EndpointConfigName"])

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.records.delete(request["EndpointConfigName"])
        return {}

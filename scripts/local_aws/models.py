"""The operations on models: records that are checked, and run nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.local_aws.context import Context
from scripts.local_aws.errors import invalid, not_here
from scripts.local_aws.model_server import source_of
from scripts.local_aws.servings import containers_of


class Models:
    """CreateModel, DescribeModel, ListModels, DeleteModel."""

    def __init__(self, context: Context) -> None:
        self.records = context.records("Model", "Models")

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Keeps the model. Raises ``ApiError`` for what AWS would refuse, and for what is not done here."""
        containers = containers_of(request)
        if not containers or ("Containers" in request and "PrimaryContainer" in request):
            raise invalid("Give either PrimaryContainer or Containers.")
        for container in containers:
            _check_container(container, alone=len(containers) == 1)
        _check_together(request, containers)
        return {"ModelArn": self.records.create(request["ModelName"], request)}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.records.describe(request["ModelName"])

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.records.delete(request["ModelName"])
        return {}


def _check_container(container: Mapping[str, Any], alone: bool) -> None:
    if not container.get("Image"):
        raise not_here("models without an Image, of model packages")
    if container.get("AdditionalModelDataSources"):
        raise not_here("AdditionalModelDataSources")
    if container.get("Mode", "SingleModel") == "SingleModel":
        if container.get("MultiModelConfig"):
            raise invalid("MultiModelConfig is for containers of the Mode MultiModel.")
        source_of(container)
        return
    if not alone:
        raise not_here("multi-model containers among several containers")
    if "ModelDataSource" in container:
        raise not_here("a ModelDataSource of a multi-model container", "It takes a ModelDataUrl.")
    if not container.get("ModelDataUrl", "").startswith("s3://"):
        raise invalid("A container of the Mode MultiModel needs a ModelDataUrl: the prefix in S3 below which the models are.")
    if container["ModelDataUrl"].endswith(".tar.gz"):
        raise invalid("The ModelDataUrl of a container of the Mode MultiModel is a prefix, not one model.tar.gz.")


def _check_together(request: Mapping[str, Any], containers: Sequence[Mapping[str, Any]]) -> None:
    names = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    if len(set(names)) < len(names):
        raise invalid(f"The containers must have names of their own: {', '.join(names)}.")
    if "InferenceExecutionConfig" not in request:
        return
    if len(containers) < 2:
        raise invalid("InferenceExecutionConfig is for models of several Containers.")
    unnamed = any("ContainerHostname" not in container for container in request["Containers"])
    if request["InferenceExecutionConfig"]["Mode"] == "Direct" and unnamed:
        raise invalid("With the Mode Direct every container needs a ContainerHostname.")

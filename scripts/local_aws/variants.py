"""What an endpoint runs at one time: a server for each variant of its configuration, and which of them a request goes to."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.local_aws.context import Context
from scripts.local_aws.errors import ApiError
from scripts.local_aws.model_server import DEFAULT_START_SECONDS, ModelServer
from scripts.local_aws.models import Models

MEGABYTE = 1 << 20
MAX_BODY_BYTES = 6 * MEGABYTE  # of a request to an endpoint on instances, and of its answer
MAX_SERVERLESS_BYTES = 4 * MEGABYTE
LONGEST_REQUEST_SECONDS = 3600  # of asynchronous inference


@dataclass
class Variant:
    """``settings``: the ProductionVariant of the configuration. ``weight`` may be changed while it runs."""

    settings: Mapping[str, Any]
    server: ModelServer
    image: str
    weight: float

    @property
    def name(self) -> str:
        return str(self.settings["VariantName"])

    @property
    def max_body(self) -> int:
        return MAX_SERVERLESS_BYTES if "ServerlessConfig" in self.settings else MAX_BODY_BYTES

    def summary(self) -> dict[str, Any]:
        """Returns the ProductionVariantSummary of DescribeEndpoint."""
        images = [{"SpecifiedImage": self.image, "ResolvedImage": self.image, "ResolutionTime": time.time()}]
        common = {"VariantName": self.name, "DeployedImages": images, "CurrentWeight": self.weight, "DesiredWeight": self.weight}
        if "ServerlessConfig" in self.settings:
            return {**common, "CurrentServerlessConfig": self.settings["ServerlessConfig"]}
        count = self.settings["InitialInstanceCount"]
        return {**common, "CurrentInstanceCount": count, "DesiredInstanceCount": count}


class Deployment:
    """The servers of one endpoint configuration. However many instances it asks for, each variant has one server here."""

    def __init__(self, context: Context, endpoint: str, config: Mapping[str, Any], models: Models, base: Path) -> None:
        self.config_name: str = config["EndpointConfigName"]
        self.asynchronous: Mapping[str, Any] | None = config.get("AsyncInferenceConfig")
        self._requests = 0  # under way
        self._idle = threading.Condition()
        self.variants = [_variant(context, endpoint, settings, models, base) for settings in config["ProductionVariants"]]

    def start(self) -> str:
        """Starts all servers, waits until each is healthy or has failed, and returns why it cannot serve, or ""."""
        for variant in self.variants:
            variant.server.start()
        return " ".join(filter(None, [variant.server.wait() for variant in self.variants]))

    def enter(self) -> None:
        """One more request is under way; ``leave`` is called when it has its answer."""
        with self._idle:
            self._requests += 1

    def leave(self) -> None:
        with self._idle:
            self._requests -= 1
            self._idle.notify_all()

    def retire(self) -> None:
        """Stops once the requests under way have their answers, without waiting for that here. No further one may enter."""

        def end() -> None:
            with self._idle:
                self._idle.wait_for(lambda: self._requests == 0, LONGEST_REQUEST_SECONDS)
            self.stop()

        threading.Thread(target=end, daemon=True, name=f"end of {self.config_name}").start()

    def stop(self) -> None:
        """Stops now."""
        for variant in self.variants:
            variant.server.stop()

    def pick(self, target: str | None) -> Variant:
        """Returns the variant of this name, or one by chance and weight. Raises ``ApiError``."""
        if target is not None:
            for variant in self.variants:
                if variant.name == target:
                    return variant
            raise ApiError("ValidationError", f"Variant {target} not found for Request.")
        weights = [variant.weight for variant in self.variants]
        if sum(weights) <= 0:
            raise ApiError("ValidationError", "All variants of the endpoint have the weight 0.")
        return random.choices(self.variants, weights)[0]

    def set_weights(self, desired: Sequence[Mapping[str, Any]]) -> None:
        """Raises ``ApiError`` if one is none of the variants; then nothing is changed."""
        for one in desired:
            self.pick(one["VariantName"])
        for one in desired:
            variant = self.pick(one["VariantName"])
            variant.weight = one.get("DesiredWeight", variant.weight)


def _variant(context: Context, endpoint: str, settings: Mapping[str, Any], models: Models, base: Path) -> Variant:
    container = models.container(settings["ModelName"])
    name = settings["VariantName"]
    log = context.log(f"Endpoints/{endpoint}", f"{name}/i-local-{int(time.time())}")
    seconds = settings.get("ContainerStartupHealthCheckTimeoutInSeconds", DEFAULT_START_SECONDS)
    server = ModelServer(context, container, base / name, log, f"production variant {name}", start_seconds=seconds)
    return Variant(settings, server, container["Image"], settings["InitialVariantWeight"])

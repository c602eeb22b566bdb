"""What an endpoint runs at one time: a server for each variant of its configuration, and which of them a request goes to."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from scripts.local_aws.asking import TARGET_CONTAINER, TARGET_MODEL, TIMEOUT_SECONDS, Answer, Serving
from scripts.local_aws.context import Context
from scripts.local_aws.data_capture import DataCapture
from scripts.local_aws.endpoint_configs import captures
from scripts.local_aws.errors import ApiError
from scripts.local_aws.model_server import DEFAULT_START_SECONDS
from scripts.local_aws.models import Models
from scripts.local_aws.servings import containers_of, is_multi_model, serving_of
from scripts.local_aws.shadow import Shadow

MEGABYTE = 1 << 20
MAX_BODY_BYTES = 6 * MEGABYTE  # of a request to an endpoint on instances, and of its answer
MAX_SERVERLESS_BYTES = 4 * MEGABYTE
LONGEST_REQUEST_SECONDS = 3600  # of asynchronous inference


@dataclass
class Variant:
    """``settings``: the ProductionVariant of the configuration; ``model``: what CreateModel was asked. ``weight`` may be changed while it
    runs. ``places``: of a serverless one, for requests at the same time."""

    endpoint: str
    settings: Mapping[str, Any]
    model: Mapping[str, Any]
    serving: Serving
    weight: float
    places: threading.Semaphore | None = None

    @property
    def name(self) -> str:
        return str(self.settings["VariantName"])

    @property
    def max_body(self) -> int:
        return MAX_SERVERLESS_BYTES if "ServerlessConfig" in self.settings else MAX_BODY_BYTES

    def ask(self, body: bytes, headers: Mapping[str, str], seconds: float = TIMEOUT_SECONDS) -> Answer:
        """Raises ``ApiError``: ValidationError where a model or container is named and there is but one; ThrottlingException."""
        if headers.get(TARGET_MODEL) and not is_multi_model(self.model):
            said = f"Endpoint {self.endpoint} is not a multi-model endpoint and does not support target model header."
            raise ApiError("ValidationError", said)
        if headers.get(TARGET_CONTAINER) and len(containers_of(self.model)) == 1:
            said = f"Endpoint {self.endpoint} is not a multi-container endpoint and does not support target container header."
            raise ApiError("ValidationError", said)
        with self._place():
            return self.serving.ask(body, headers, seconds)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self.places and not self.places.acquire(blocking=False):
            most = self.settings["ServerlessConfig"]["MaxConcurrency"]
            raise ApiError("ThrottlingException", f"Endpoint {self.endpoint} answers its MaxConcurrency of {most} requests already.", 429)
        try:
            yield
        finally:
            if self.places:
                self.places.release()

    def summary(self) -> dict[str, Any]:
        """Returns the ProductionVariantSummary of DescribeEndpoint."""
        named = [container["Image"] for container in containers_of(self.model)]
        images = [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": time.time()} for image in named]
        common = {"VariantName": self.name, "DeployedImages": images, "CurrentWeight": self.weight, "DesiredWeight": self.weight}
        if "ServerlessConfig" in self.settings:
            return {**common, "CurrentServerlessConfig": self.settings["ServerlessConfig"]}
        count = self.settings["InitialInstanceCount"]
        return {**common, "CurrentInstanceCount": count, "DesiredInstanceCount": count}


class Deployment:
    """The servers of one endpoint configuration. However many instances it asks for, each variant has one server here."""

    def __init__(self, context: Context, endpoint: str, config: Mapping[str, Any], models: Models, base: Path) -> None:
        self.config = config
        self.asynchronous: Mapping[str, Any] | None = config.get("AsyncInferenceConfig")
        self._requests = 0  # under way
        self._idle = threading.Condition()
        self.variants = [_variant(context, endpoint, settings, models, base) for settings in config["ProductionVariants"]]
        self.shadows = [_variant(context, endpoint, settings, models, base) for settings in config.get("ShadowProductionVariants", [])]
        self._copiers = [_shadow(context, endpoint, one, self.variants[0].weight) for one in self.shadows]
        self.capture = DataCapture(context, endpoint, config["DataCaptureConfig"]) if captures(config) else None

    def start(self) -> str:
        """Starts all servers, waits until each is healthy or has failed, and returns why it cannot serve, or ""."""
        for serving in self._servings():
            serving.start()
        return " ".join(filter(None, [serving.wait() for serving in self._servings()]))

    def ask(self, variant: Variant, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Asks a variant and, unseen, the shadow variant; both are captured, where that is configured. Raises ``ApiError``."""
        begin = time.perf_counter()
        copies = [(shadow, shadow_variant.name, shadow.copy(body, headers)) for shadow, shadow_variant in self._shadowed()]
        answer = variant.ask(body, headers)
        took = 1000 * (time.perf_counter() - begin)
        keep = self.capture.keep if self.capture and self.capture.chosen() else None
        if keep:
            keep(variant.name, body, headers, answer)
        for shadow, name, copied in copies:
            if copied:
                then = partial(keep, name, body, headers, shadow=True) if keep else lambda shadow_answer: None
                shadow.compare(copied, answer, took, then)
        return answer

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
            for copier in self._copiers:
                copier.close(wait=True)
            self.stop()

        threading.Thread(target=end, daemon=True, name=f"end of {self.config['EndpointConfigName']}").start()

    def stop(self) -> None:
        """Stops now."""
        for copier in self._copiers:
            copier.close(wait=False)
        for serving in self._servings():
            serving.stop()
        if self.capture:
            self.capture.close()

    def kill(self) -> None:
        for serving in self._servings():
            serving.kill()

    def join(self) -> None:
        """Waits until all servers have ended."""
        for serving in self._servings():
            serving.join()

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

    def take_weights(self, before: Deployment) -> None:
        """Gives each variant the weight that the one of its name has there."""
        weights = {variant.name: variant.weight for variant in before.variants}
        for variant in self.variants:
            variant.weight = weights.get(variant.name, variant.weight)

    def summary(self) -> dict[str, Any]:
        """Returns what DescribeEndpoint says of what runs."""
        return {
            "ProductionVariants": [variant.summary() for variant in self.variants],
            **({"ShadowProductionVariants": [variant.summary() for variant in self.shadows]} if self.shadows else {}),
            **({"DataCaptureConfig": self.capture.summary()} if self.capture else {}),
            **({"AsyncInferenceConfig": self.asynchronous} if self.asynchronous else {}),
        }

    def _servings(self) -> list[Serving]:
        return [variant.serving for variant in (*self.variants, *self.shadows)]

    def _shadowed(self) -> list[tuple[Shadow, Variant]]:
        return list(zip(self._copiers, self.shadows, strict=True))


def _variant(context: Context, endpoint: str, settings: Mapping[str, Any], models: Models, base: Path) -> Variant:
    model, name = models.records.get(settings["ModelName"]), settings["VariantName"]
    log = context.log(f"Endpoints/{endpoint}", f"{name}/i-local-{int(time.time())}")
    seconds = settings.get("ContainerStartupHealthCheckTimeoutInSeconds", DEFAULT_START_SECONDS)
    serverless = settings.get("ServerlessConfig", {})
    memory = serverless.get("MemorySizeInMB")
    serving = serving_of(context, model, base / name, log, f"production variant {name}", start_seconds=seconds, memory_mb=memory)
    places = threading.Semaphore(serverless["MaxConcurrency"]) if serverless else None
    return Variant(endpoint, settings, model, serving, settings["InitialVariantWeight"], places)


def _shadow(context: Context, endpoint: str, variant: Variant, production: float) -> Shadow:
    """The share that is copied is the shadow's weight by that of production, at most all."""
    log = context.log(f"Endpoints/{endpoint}", f"{variant.name}/shadow-{int(time.time())}")
    return Shadow(variant.name, variant.serving, min(1.0, variant.weight / production), log)

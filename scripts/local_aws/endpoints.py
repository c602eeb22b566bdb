"""The operations on endpoints."""

from __future__ import annotations

import itertools
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from scripts.local_aws.context import Context
from scripts.local_aws.endpoint_configs import EndpointConfigs
from scripts.local_aws.errors import ApiError, invalid, not_here
from scripts.local_aws.models import Models
from scripts.local_aws.variants import Deployment

CHANGING = ("Creating", "Updating")


class Endpoints:
    """CreateEndpoint, DescribeEndpoint, ListEndpoints, UpdateEndpoint, UpdateEndpointWeightsAndCapacities, DeleteEndpoint."""

    def __init__(self, context: Context, configs: EndpointConfigs, models: Models) -> None:
        self._context, self._configs, self._models = context, configs, models
        self.records = context.records("Endpoint", "Endpoints")
        self._serving: dict[str, Deployment] = {}
        self._all: list[Deployment] = []  # also those that start or end
        self._lock = threading.RLock()
        self._number = itertools.count(1)

    def resume(self) -> None:
        """Starts again the endpoints that an earlier run has left."""
        for name in self.records.names():
            self._change(name, self.records.get(name)["EndpointConfigName"], "Creating")

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, config = request["EndpointName"], request["EndpointConfigName"]
        self._configs.records.get(config)
        arn = self.records.create(name, {**request, "EndpointStatus": "Creating"})
        self._change(name, config, "Creating")
        return {"EndpointArn": arn}

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, config = request["EndpointName"], request["EndpointConfigName"]
        with self._lock:
            self._check_at_rest(name)
            self._configs.records.get(config)
            if request.get("DeploymentConfig"):
                raise not_here("DeploymentConfig", "An update starts the new servers, and then all requests go to them.")
            self._change(name, config, "Updating", _retained(request))
        return {"EndpointArn": self.records.arn(name)}

    def set_weights(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["EndpointName"]
        with self._lock:
            self._check_at_rest(name)
            try:
                self.deployment(name).set_weights(request["DesiredWeightsAndCapacities"])
            except ApiError as error:
                raise invalid(error.message) from None
            self.records.change(name)
        return {"EndpointArn": self.records.arn(name)}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["EndpointName"]
        answer = self.records.describe(name)
        with self._lock:
            if deployment := self._serving.get(name):
                return {**answer, **deployment.summary()}
        return answer

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["EndpointName"]
        with self._lock:
            self._check_at_rest(name)
            self.records.delete(name)
            deployment = self._serving.pop(name, None)
        if deployment:
            deployment.retire()
        self._context.say(f"endpoint {name}: deleted")
        return {}

    def deployment(self, name: str) -> Deployment:
        """Returns what serves. Raises ``ApiError`` in the runtime's words if there is nothing."""
        with self._lock:
            if name in self._serving:
                return self._serving[name]
            if name in self.records.names():
                status = self.records.get(name)["EndpointStatus"]
                raise ApiError("ValidationError", f"Endpoint {name} is not in service: its status is {status}.")
        raise ApiError("ValidationError", f"Endpoint {name} of account {self._account(name)} not found.")

    @contextmanager
    def request(self, name: str) -> Iterator[Deployment]:
        """Yields what serves, and keeps it from ending until the block does. Raises ``ApiError``, as ``deployment``."""
        with self._lock:  # so that it cannot retire between being found and being entered
            deployment = self.deployment(name)
            deployment.enter()
        try:
            yield deployment
        finally:
            deployment.leave()

    def deployments(self) -> list[Deployment]:
        """Returns all that has been started, to be ended with the program."""
        with self._lock:
            return list(self._all)

    def _account(self, name: str) -> str:
        return self.records.arn(name).split(":")[4]

    def _check_at_rest(self, name: str) -> None:
        if self.records.get(name)["EndpointStatus"] in CHANGING:
            raise invalid(f'Cannot update in-progress endpoint "{self.records.arn(name)}".')

    def _change(self, name: str, config: str, status: str, retained: frozenset[str] = frozenset()) -> None:
        """Starts the servers of a configuration; once they are healthy they take the place of those that serve."""
        self.records.change(name, EndpointStatus=status, FailureReason=None)
        self._context.say(f"endpoint {name}: {status}")
        threading.Thread(target=self._deploy, args=[name, config, retained], name=f"endpoint {name}").start()

    def _deploy(self, name: str, config: str, retained: frozenset[str]) -> None:
        base = self._context.folder / "endpoints" / f"{name}-{next(self._number)}"
        deployment = None
        try:
            asked, serving = self._configs.records.get(config), self._serving.get(name)
            if serving and "DataCaptureConfig" in retained:
                asked = {**asked, "DataCaptureConfig": serving.config.get("DataCaptureConfig", {"EnableCapture": False})}
            deployment = Deployment(self._context, name, asked, self._models, base)
            with self._lock:
                self._all.append(deployment)
            problem = deployment.start()
        except ApiError as error:  # a configuration or a model was deleted meanwhile
            problem = error.message
        except Exception as error:
            traceback.print_exc()
            problem = f"InternalServerError: {type(error).__name__}: {error}"
        if self._context.ending.is_set():
            return
        if problem:
            if deployment:
                deployment.stop()
            status = "InService" if name in self._serving else "Failed"  # an update that fails leaves what there was
            self.records.change(name, EndpointStatus=status, FailureReason=problem[:1024])
            self._context.say(f"endpoint {name}: {status}: {problem}")
            return
        assert deployment is not None
        with self._lock:
            before = self._serving.get(name)
            if before and "DesiredWeight" in retained:
                deployment.take_weights(before)
            self._serving[name] = deployment
            self.records.change(name, EndpointStatus="InService", EndpointConfigName=config)
        self._context.say(f"endpoint {name}: InService")
        if before:
            before.retire()


def _retained(request: Mapping[str, Any]) -> frozenset[str]:
    """Returns which properties of what serves an update keeps, whatever its configuration says."""
    if not request.get("RetainAllVariantProperties"):
        return frozenset()
    excluded = {one["VariantPropertyType"] for one in request.get("ExcludeRetainedVariantProperties", [])}
    return frozenset({"DesiredWeight", "DataCaptureConfig"} - excluded)

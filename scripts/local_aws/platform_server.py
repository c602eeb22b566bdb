"""The local SageMaker as a whole: its parts put together, and the server that they answer through."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from scripts.command_line import CommandError
from scripts.local_aws import s3_state
from scripts.local_aws.async_runtime import AsyncRuntime
from scripts.local_aws.context import Context
from scripts.local_aws.endpoint_configs import EndpointConfigs
from scripts.local_aws.endpoints import Endpoints
from scripts.local_aws.front import Front, Operation
from scripts.local_aws.models import Models
from scripts.local_aws.switches import Switches
from scripts.local_aws.tags import Tags
from scripts.local_aws.training_jobs import TrainingJobs
from scripts.local_aws.transform_jobs import TransformJobs
from scripts.local_aws.tuning_jobs import TuningJobs

END_SECONDS = 20.0  # for what runs to end by SIGTERM, when the program ends; then it is killed


class LocalPlatform:
    """Jobs, models and endpoints, by the names of the operations on them."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.training = TrainingJobs(context)
        self.tuning = TuningJobs(context, self.training)
        self.models = Models(context)
        self.configs = EndpointConfigs(context, self.models)
        self.endpoints = Endpoints(context, self.configs, self.models)
        self.asynchronous = AsyncRuntime(context, self.endpoints)
        self.transforms = TransformJobs(context, self.models)
        owners = (self.training, self.tuning, self.models, self.configs, self.endpoints, self.transforms)
        self.tags = Tags(owner.records for owner in owners)

    def operations(self) -> dict[str, Operation]:
        """Returns what answers each operation of SageMaker's API; those that are not here are not done."""
        return {
            "CreateTrainingJob": self.training.create,
            "DescribeTrainingJob": self.training.describe,
            "ListTrainingJobs": self.training.list,
            "StopTrainingJob": self.training.stop,
            "DeleteTrainingJob": self.training.delete,
            "CreateHyperParameterTuningJob": self.tuning.create,
            "DescribeHyperParameterTuningJob": self.tuning.describe,
            "ListHyperParameterTuningJobs": self.tuning.list,
            "StopHyperParameterTuningJob": self.tuning.stop,
            "DeleteHyperParameterTuningJob": self.tuning.delete,
            "ListTrainingJobsForHyperParameterTuningJob": self.tuning.list_training_jobs,
            "CreateModel": self.models.create,
            "DescribeModel": self.models.describe,
            "ListModels": self.models.records.list,
            "DeleteModel": self.models.delete,
            "CreateEndpointConfig": self.configs.create,
            "DescribeEndpointConfig": self.configs.describe,
            "ListEndpointConfigs": self.configs.records.list,
            "DeleteEndpointConfig": self.configs.delete,
            "CreateEndpoint": self.endpoints.create,
            "DescribeEndpoint": self.endpoints.describe,
            "ListEndpoints": self.endpoints.records.list,
            "UpdateEndpoint": self.endpoints.update,
            "UpdateEndpointWeightsAndCapacities": self.endpoints.set_weights,
            "DeleteEndpoint": self.endpoints.delete,
            "CreateTransformJob": self.transforms.create,
            "DescribeTransformJob": self.transforms.describe,
            "ListTransformJobs": self.transforms.records.list,
            "StopTransformJob": self.transforms.stop,
            "AddTags": self.tags.add,
            "ListTags": self.tags.list,
            "DeleteTags": self.tags.delete,
        }

    def end(self) -> None:
        """Ends every process, those that do not listen by force."""
        self.context.ending.set()
        self.asynchronous.close()
        for search in self.tuning.runs():  # first, so that they start no more training jobs
            search.join()
        running: list[Any] = [*self.training.runs(), *self.transforms.runs(), *self.endpoints.deployments()]
        for one in running:
            one.stop()
        waiting = threading.Thread(target=lambda: [one.join() for one in running], daemon=True)
        waiting.start()
        waiting.join(END_SECONDS)
        if waiting.is_alive():
            for one in running:
                one.kill()
            waiting.join(END_SECONDS)


class _Handler(MotoRequestHandler):
    disable_nagle_algorithm = True  # head and body are two writes: the second would wait 40 ms for the caller's acknowledgement

    def log_request(self, *arguments: object) -> None:
        """A request is no event; what becomes of it is said at the terminal."""


@contextmanager
def platform_server(context: Context, port: int, buckets: Path | None = None) -> Iterator[LocalPlatform]:
    """Answers at ``context.url``, on loopback, until the block ends; then ends all that runs. ``port`` 0 takes a free one.

    ``buckets``: the folder that keeps what S3 has, if it is kept. Raises ``CommandError`` if nothing can listen at the port.
    """
    platform = LocalPlatform(context)
    others = Switches(platform.training, DomainDispatcherApplication(create_backend_app))
    front = Front(context.region, platform.operations(), platform.endpoints, platform.asynchronous, others)
    try:
        server = make_server("127.0.0.1", port, front, threaded=True, request_handler=_Handler)
    except (OSError, SystemExit) as error:  # werkzeug prints what is wrong with the port, and exits
        raise CommandError(f"port {port} cannot be used ({error}): choose another with --port") from None
    context.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="server")
    thread.start()
    try:
        if buckets:
            s3_state.load(context.s3, buckets, context.region)
        yield platform
    finally:
        begin = time.monotonic()
        platform.end()
        if buckets:
            context.say(f"{s3_state.save(context.s3, buckets)} objects of S3 are kept in {buckets}")
        server.shutdown()
        server.server_close()
        thread.join()
        context.say(f"ended after {time.monotonic() - begin:.1f} s")

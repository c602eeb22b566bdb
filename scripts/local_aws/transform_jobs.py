"""The operations on batch transform jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.local_aws.context import Context
from scripts.local_aws.errors import invalid, not_here
from scripts.local_aws.models import Models
from scripts.local_aws.servings import is_multi_model
from scripts.local_aws.transform_records import Processing
from scripts.local_aws.transform_run import TransformRun

RUNNING = ("InProgress", "Stopping")


class TransformJobs:
    """CreateTransformJob, DescribeTransformJob, ListTransformJobs, StopTransformJob."""

    def __init__(self, context: Context, models: Models) -> None:
        self._context, self._models = context, models
        self.records = context.records("TransformJob", "TransformJobSummaries")
        self._runs: dict[str, TransformRun] = {}
        for name in self.records.names():
            if self.records.get(name)["TransformJobStatus"] in RUNNING:
                reason = "InternalServerError: local_sagemaker was ended during the job."
                self.records.change(name, TransformJobStatus="Failed", FailureReason=reason)

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Starts the job. Raises ``ApiError`` for what AWS would refuse, and for what is not done here."""
        source, target = request["TransformInput"], request["TransformOutput"]
        split, assembled = source.get("SplitType", "None"), target.get("AssembleWith", "None")
        if split not in ("None", "Line"):
            raise not_here(f"SplitType {split}", "It takes None and Line.")
        if source["DataSource"]["S3DataSource"]["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            raise not_here("a transform of an AugmentedManifestFile", "It takes S3Prefix and ManifestFile.")
        if "DataCaptureConfig" in request:
            raise not_here("data capture")
        if split == "None" and request.get("BatchStrategy") == "MultiRecord":
            raise invalid("BatchStrategy MultiRecord needs a SplitType: without one an object is one record.")
        if request.get("MaxConcurrentTransforms", 1) * request.get("MaxPayloadInMB", 6) > 100:
            raise invalid("MaxConcurrentTransforms * MaxPayloadInMB must not exceed 100.")
        model = self._models.records.get(request["ModelName"])
        if is_multi_model(model):
            raise invalid("Batch transform does not support multi-model containers.")
        if model.get("InferenceExecutionConfig", {}).get("Mode") == "Direct":
            raise invalid("Batch transform does not support containers of the Mode Direct.")
        processing = Processing(request.get("DataProcessing", {}), source.get("ContentType", ""), split == "Line", assembled == "Line")
        run = TransformRun(self._context, self.records, request, model, processing)
        arn = self.records.create(run.name, {**request, "TransformJobStatus": "InProgress"})
        self._runs[run.name] = run
        run.start()
        return {"TransformJobArn": arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.records.describe(request["TransformJobName"])

    def stop(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["TransformJobName"]
        status = self.records.get(name)["TransformJobStatus"]
        if status not in RUNNING:
            raise invalid(f"The request was rejected because the transform job is in status {status}.")
        self.records.change(name, TransformJobStatus="Stopping")
        self._runs[name].stop()
        return {}

    def runs(self) -> Sequence[TransformRun]:
        return tuple(self._runs.values())

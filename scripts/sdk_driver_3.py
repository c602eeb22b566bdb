"""What a user of the SageMaker Python SDK's 3.x line writes, in local mode: train, deploy, predict. See scripts/sdk_local_mode.

Runs in .venv-sdk3 with the arguments and the folder of ``sdk_driver_2``, but transforms nothing; and IMAGE must train when it is given no
command, since ``ModelTrainer`` gives none in local mode. To serve, it is given one. ``ModelBuilder`` has no local mode for a container like
ours, only for the model servers that it packs models for, so the endpoint is made by the client of ``LocalSession``.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.local.local_session import LocalSession
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData
from sagemaker.train.model_trainer import Mode

ROLE = "arn:aws:iam::123456789012:role/local"  # never looked up
NO_TELEMETRY = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


def main() -> int:
    """Goes the whole way and returns 0; what goes wrong is the SDK's exception."""
    folder, image, port, hosts, hyperparameters = (
        Path(sys.argv[1]),
        sys.argv[2],
        int(sys.argv[3]),
        int(sys.argv[4]),
        json.loads(sys.argv[5]),
    )
    boto_session = boto3.Session(region_name="us-east-1")

    say(f"ModelTrainer.train (sagemaker-train {version('sagemaker-train')})")
    ModelTrainer(
        training_image=image,
        training_mode=Mode.LOCAL_CONTAINER,
        sagemaker_session=Session(boto_session, sagemaker_config=NO_TELEMETRY),
        role=ROLE,
        compute=Compute(instance_type="local", instance_count=hosts),
        hyperparameters=hyperparameters,
        local_container_root=str(folder / "containers"),
        input_data_config=[
            InputData(channel_name=name, data_source=str(folder / "data" / name), content_type="text/csv")
            for name in ("interactions", "items")
        ],
    ).train()
    (folder / "containers" / "compressed_artifacts").rename(folder / "trained")

    say("LocalSession: create_model, create_endpoint, invoke_endpoint")
    session = LocalSession(boto_session, sagemaker_config=NO_TELEMETRY)
    session.config = {"local": {"serving_port": port, "container_root": str(folder / "containers")}}
    local = session.sagemaker_client
    container = {"Image": image, "ModelDataUrl": (folder / "trained" / "model.tar.gz").as_uri(), "Environment": {}}
    local.create_model("music", container)
    local.create_endpoint_config(
        "music", [{"ModelName": "music", "VariantName": "all", "InstanceType": "local", "InitialInstanceCount": 1}]
    )
    local.create_endpoint("music", "music")
    predictions = []
    try:
        for line in (folder / "requests.jsonl").read_text(encoding="utf-8").splitlines():
            response = session.sagemaker_runtime_client.invoke_endpoint(
                line, "music", ContentType="application/json", Accept="application/json"
            )
            answer = json.loads(response["Body"].read())
            print(f"asked    {line}\nanswered {json.dumps(answer)}", flush=True)
            predictions.append({"request": json.loads(line), "answer": answer})
    finally:
        local.delete_endpoint("music")
    (folder / "answers.json").write_text(json.dumps(predictions), encoding="utf-8")
    return 0


def say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

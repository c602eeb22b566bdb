"""What a user of the SageMaker Python SDK's 2.x line writes, in local mode: train, deploy, predict, transform. See scripts/sdk_local_mode.

Runs in .venv-sdk, with FOLDER, IMAGE, PORT, HOSTS and a JSON object of hyperparameters as its arguments. FOLDER has data/interactions,
data/items, requests.jsonl and an empty containers/; it gets trained/model.tar.gz, transformed/requests.jsonl.out and answers.json, a list
of ``{"request", "answer"}``. Needs no AWS: channels and results are ``file://`` places. Nothing of this project is imported.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import boto3
import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.local import LocalSession
from sagemaker.serializers import JSONSerializer

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
    session = LocalSession(boto3.Session(region_name="us-east-1"), sagemaker_config=NO_TELEMETRY)
    session.config = {"local": {"serving_port": port, "container_root": str(folder / "containers")}}

    say(f"Estimator.fit (sagemaker {sagemaker.__version__})")
    estimator = Estimator(
        image_uri=image,
        role=ROLE,
        instance_count=hosts,
        instance_type="local",
        hyperparameters=hyperparameters,
        output_path=(folder / "trained").as_uri(),
        sagemaker_session=session,
    )
    data = folder / "data"
    estimator.fit(
        {
            "interactions": TrainingInput((data / "interactions").as_uri(), content_type="text/csv"),
            "items": TrainingInput((data / "items").as_uri(), content_type="text/csv"),
        }
    )
    print(f"model: {estimator.model_data}", flush=True)

    say("Estimator.deploy and Predictor.predict")
    predictor = estimator.deploy(1, "local", serializer=JSONSerializer(), deserializer=JSONDeserializer())
    predictions = []
    try:
        for line in (folder / "requests.jsonl").read_text(encoding="utf-8").splitlines():
            request = json.loads(line)
            answer = predictor.predict(request)
            print(f"asked    {line}\nanswered {json.dumps(answer)}", flush=True)
            predictions.append({"request": request, "answer": answer})
    finally:
        predictor.delete_endpoint()
    (folder / "answers.json").write_text(json.dumps(predictions), encoding="utf-8")

    say("Transformer.transform")
    # Named, not left to /execution-parameters: local mode does not know the documented spelling SINGLE_RECORD there.
    transformer = estimator.transformer(
        1, "local", strategy="SingleRecord", assemble_with="Line", output_path=(folder / "transformed").as_uri()
    )
    transformer.transform(
        (folder / "requests.jsonl").as_uri(), content_type="application/jsonlines", split_type="Line", wait=True, logs=False
    )
    for path in sorted((folder / "transformed").iterdir()):
        print(f"{path.name}:\n{path.read_text(encoding='utf-8')}", flush=True)
    return 0


def say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

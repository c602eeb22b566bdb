"""The local SageMaker with containers in place of processes: the same requests, and nothing left in Docker."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from scripts.command_line import CommandError
from scripts.local_aws.containers import Containers
from scripts.local_aws.context import Context
from scripts.local_aws.platform_server import platform_server
from scripts.make_dataset import make_dataset
from scripts.pack import pack
from tests.integration.containers import docker
from tests.integration.serving import make_model
from tests.scripts.local_endpoints import deployed
from tests.scripts.local_platform import ROLE, Clients, channel, until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

QUICK = {"models": "item_knn,popularity", "evaluation_bootstrap_samples": "20", "evaluation_k": "5", "threads": "1"}
SLOW = {"models": "als", "als_iterations": "200", "als_factors": "500", "evaluation_bootstrap_samples": "100000", "threads": "1"}


@pytest.fixture(scope="module")
def aws(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    data = tmp_path_factory.mktemp("data")
    make_dataset(data, songs=150, listeners=80, events_per_listener=15)
    header, *rows = (data / "interactions" / "events.csv").read_text().splitlines()
    with tempfile.TemporaryDirectory(prefix="lsm-t-", dir="/tmp") as folder:
        context = Context("us-east-1", Path(folder), Containers(image))
        with platform_server(context, 0):
            clients = Clients(context.url)
            clients.s3.create_bucket(Bucket="local")
            clients.put(**{"events.csv": "\n".join([header, *rows]) + "\n"})
            for number in range(4):
                clients.put(**{f"events/{number}.csv": "\n".join([header, *rows[number::4]]) + "\n"})
            yield clients
            clients.close()
    assert docker("ps", "--all", "--quiet", "--filter", "name=lsm-").stdout == ""
    assert docker("network", "ls", "--quiet", "--filter", "name=lsm-").stdout == ""


def test_a_pipe_and_three_hosts_give_one_model_which_an_endpoint_serves(aws: Clients) -> None:
    aws.train("pipe", HyperParameters=QUICK, channels=[channel("interactions", "s3://local/events.csv", "Pipe", ContentType="text/csv")])
    shards = [channel("interactions", "s3://local/events/", "FastFile", "ShardedByS3Key")]
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 1}
    aws.train("hosts", HyperParameters=QUICK, channels=shards, ResourceConfig=resources)
    versions = []
    for name in ("pipe", "hosts"):
        job = aws.trained(name, 300)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        model = json.loads(aws.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])["model.json"])
        versions.append(model["model_version"])
    assert versions[0] == versions[1]

    container = {"Image": "any", "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    aws.sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large"}
    aws.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    aws.sagemaker.create_endpoint(EndpointName="music", EndpointConfigName="c")
    until(lambda: aws.sagemaker.describe_endpoint(EndpointName="music")["EndpointStatus"], lambda status: status == "InService", 120)
    body = json.dumps({"user_id": "listener-1", "num_recommendations": 3}).encode()
    answer = aws.runtime.invoke_endpoint(EndpointName="music", Body=body, ContentType="application/json")
    assert json.loads(answer["Body"].read())["model_version"] == versions[0]
    aws.sagemaker.delete_endpoint(EndpointName="music")


def test_containers_serve_many_models_in_a_pipeline_and_within_the_memory_of_a_serverless_endpoint(aws: Clients, tmp_path: Path) -> None:
    pack(make_model(tmp_path / "model"), tmp_path / "model.tar.gz")
    aws.s3.upload_file(str(tmp_path / "model.tar.gz"), "local", "many/a.tar.gz")
    one = {"Image": "any", "ModelDataUrl": "s3://local/many/a.tar.gz"}
    many = {"Image": "any", "Mode": "MultiModel", "ModelDataUrl": "s3://local/many/"}
    aws.sagemaker.create_model(ModelName="many", PrimaryContainer=many, ExecutionRoleArn=ROLE)
    aws.sagemaker.create_model(ModelName="line", Containers=[one, one], ExecutionRoleArn=ROLE)
    aws.sagemaker.create_model(ModelName="one", PrimaryContainer=one, ExecutionRoleArn=ROLE)
    deployed(aws, "many", {"ModelName": "many"})
    deployed(aws, "line", {"ModelName": "line"})
    question = {"Body": b'{"user_id": "u0", "num_recommendations": 3}', "ContentType": "application/json"}
    answer = aws.runtime.invoke_endpoint(EndpointName="many", TargetModel="a.tar.gz", **question)
    assert len(json.loads(answer["Body"].read())["recommendations"]) == 3
    with pytest.raises(ClientError, match=r"client error \(422\) from container-2"):
        aws.runtime.invoke_endpoint(EndpointName="line", **question)
    for name in ("many", "line"):
        aws.sagemaker.delete_endpoint(EndpointName=name)
    until(lambda: docker("ps", "--quiet", "--filter", "name=lsm-").stdout, lambda running: running == "", 40)
    deployed(aws, "serverless", {"ModelName": "one", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 5}})
    assert len(json.loads(aws.runtime.invoke_endpoint(EndpointName="serverless", **question)["Body"].read())["recommendations"]) == 3
    limit = docker("inspect", "--format", "{{.HostConfig.Memory}}", docker("ps", "--quiet", "--filter", "name=lsm-").stdout.strip())
    assert int(limit.stdout) == 1 << 30
    aws.sagemaker.delete_endpoint(EndpointName="serverless")


def test_a_stopped_job_ends_its_container(aws: Clients) -> None:
    aws.train("stopped", HyperParameters=SLOW, channels=[channel("interactions", "s3://local/events/")])
    until(lambda: aws.log("/aws/sagemaker/TrainingJobs", "stopped/"), lambda log: "event=start" in log, 120)
    aws.sagemaker.stop_training_job(TrainingJobName="stopped")
    job = aws.trained("stopped", 150)
    log = aws.log("/aws/sagemaker/TrainingJobs", "stopped/")
    assert job["TrainingJobStatus"] == "Stopped", (job["SecondaryStatusTransitions"], log)
    assert "event=stopped signal=SIGTERM" in log, (job["SecondaryStatusTransitions"], log)


def test_an_entry_point_of_the_request_takes_the_place_of_train(aws: Clients) -> None:
    algorithm = {
        "TrainingImage": "any",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["bash", "-c"],
        "ContainerArguments": ["echo 'by hand' > /opt/ml/model/said.txt"],
    }
    aws.train("by-hand", AlgorithmSpecification=algorithm)
    job = aws.trained("by-hand", 120)
    assert aws.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"said.txt": b"by hand\n"}


def test_an_image_that_is_not_there_is_one_sentence(image: str) -> None:
    with pytest.raises(CommandError, match="docker image inspect no-such-image"):
        Containers("no-such-image")

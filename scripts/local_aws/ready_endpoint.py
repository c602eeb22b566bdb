"""An endpoint of a model that lies on this machine: the three requests that a person would make, with the model put into a bucket first."""

from __future__ import annotations

import tempfile
from pathlib import Path

from scripts.local_aws.context import LOCAL_ROLE, Context
from scripts.local_aws.platform_server import LocalPlatform
from scripts.pack import pack


def make_endpoint(context: Context, platform: LocalPlatform, name: str, model: Path, bucket: str) -> None:
    """Makes the endpoint, or brings one that is there to this model. ``model``: a folder with a model, or an archive of one."""
    key = f"endpoints/{name}/model.tar.gz"
    with tempfile.TemporaryDirectory(prefix="lsm-") as holder:
        archive = model
        if model.is_dir():
            archive = Path(holder, "model.tar.gz")
            pack(model, archive)
        context.s3.upload_file(str(archive), bucket, key)
    sagemaker = context.client("sagemaker")
    if name in platform.endpoints.records.names():
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
        sagemaker.delete_endpoint(EndpointName=name)
    for records in (platform.models.records, platform.configs.records):
        if name in records.names():
            records.delete(name)
    container = {"Image": "local", "ModelDataUrl": f"s3://{bucket}/{key}"}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=LOCAL_ROLE)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

"""The templates for automation: CloudFormation held against AWS's own schemas by cfn-lint, Kubernetes against the fields of its API."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import pytest
import yaml

from scripts.pack import pack
from tests.scripts.kubernetes_fields import DEPLOYMENT, SERVICE

ROOT = Path(__file__).resolve().parents[2]
CLOUDFORMATION = ROOT / "scripts" / "templates" / "cloudformation.yaml"
KUBERNETES = ROOT / "scripts" / "templates" / "kubernetes.yaml"


class Functions(yaml.SafeLoader):
    """Reads ``!Ref x`` as ``{"Ref": "x"}`` and so on."""


def _function(loader: Functions, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {suffix: loader.construct_sequence(node, deep=True)}


Functions.add_multi_constructor("!", _function)


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    return dict(yaml.load(CLOUDFORMATION.read_text(encoding="utf-8"), Functions))


def objects() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(KUBERNETES.read_text(encoding="utf-8")))


def lint(template: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "cfn-lint"), str(template)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_cfn_lint_finds_nothing_in_ours_and_something_in_a_broken_one(tmp_path: Path) -> None:
    assert (lint(CLOUDFORMATION).stdout, lint(CLOUDFORMATION).returncode) == ("", 0)
    (tmp_path / "broken.yaml").write_text(CLOUDFORMATION.read_text(encoding="utf-8").replace("ModelDataUrl:", "ModelUrl:"))
    assert "ModelUrl" in lint(tmp_path / "broken.yaml").stdout


def test_codebuild_runs_our_buildspec_with_the_variables_that_it_reads(stack: dict[str, Any]) -> None:
    build = stack["Resources"]["Build"]["Properties"]
    assert (ROOT / build["Source"]["BuildSpec"]).exists()
    variables = yaml.safe_load((ROOT / "buildspec.yml").read_text(encoding="utf-8"))["env"]["variables"]
    assert {one["Name"] for one in build["Environment"]["EnvironmentVariables"]} == set(variables)
    assert build["Environment"]["PrivilegedMode"] is True


def test_the_endpoint_scales_the_variant_that_it_has_and_everything_that_costs_waits_for_a_model(stack: dict[str, Any]) -> None:
    resources = stack["Resources"]
    (variant,) = resources["EndpointConfig"]["Properties"]["ProductionVariants"]
    scaled = resources["ScalableVariant"]["Properties"]["ResourceId"]
    assert scaled == {"Sub": f"endpoint/${{Endpoint.EndpointName}}/variant/{variant['VariantName']}"}
    served = ("Model", "EndpointConfig", "Endpoint", "ScalableVariant", "ScalingPolicy")
    assert all(resources[name]["Condition"] == "HasModel" for name in served)


def test_what_cannot_be_made_again_outlives_the_stack_and_no_permission_is_for_everything(stack: dict[str, Any]) -> None:
    for name in ("Bucket", "Repository"):
        assert stack["Resources"][name]["DeletionPolicy"] == stack["Resources"][name]["UpdateReplacePolicy"] == "Retain"
    for role in ("SageMakerRole", "BuildRole"):
        for policy in stack["Resources"][role]["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert not any("*" in action for action in statement["Action"])
                if statement["Resource"] == "*":  # these two know no resources
                    assert statement["Action"] in (["ecr:GetAuthorizationToken"], ["cloudwatch:PutMetricData"])


@pytest.mark.usefixtures("aws_account")
@pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")  # moto knows no scaling, no build projects and no bucket policies
def test_a_stack_without_a_model_has_no_endpoint_and_with_one_it_has() -> None:
    cloudformation, template = boto3.client("cloudformation"), CLOUDFORMATION.read_text(encoding="utf-8")
    common = {"TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"]}
    cloudformation.create_stack(StackName="music", **common)
    sagemaker = boto3.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    (described,) = cloudformation.describe_stacks(StackName="music")["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
    assert outputs["BucketName"] in [one["Name"] for one in boto3.client("s3").list_buckets()["Buckets"]]
    assert outputs["RoleArn"] in [one["Arn"] for one in boto3.client("iam").list_roles()["Roles"]]
    assert outputs.keys() == {"BucketName", "RoleArn", "RepositoryUri"}
    given = {"Image": f"{outputs['RepositoryUri']}:v1", "ModelData": f"s3://{outputs['BucketName']}/model.tar.gz"}
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in {**given, "RepositoryName": "other"}.items()]
    cloudformation.create_stack(StackName="served", **common, Parameters=parameters)
    (model,) = sagemaker.list_models()["Models"]
    container = sagemaker.describe_model(ModelName=model["ModelName"])["PrimaryContainer"]
    assert (container["Image"], container["ModelDataUrl"]) == (given["Image"], given["ModelData"])
    assert len(sagemaker.list_endpoints()["Endpoints"]) == 1


def test_the_kubernetes_objects_have_the_fields_of_the_api_and_a_misspelt_one_is_found() -> None:
    deployment, service = objects()
    jsonschema.validate(deployment, DEPLOYMENT)
    jsonschema.validate(service, SERVICE)
    broken = copy.deepcopy(deployment)
    broken["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(jsonschema.ValidationError, match="readinesProbe"):
        jsonschema.validate(broken, DEPLOYMENT)


def test_three_replicas_are_probed_limited_and_locked_and_the_service_finds_them() -> None:
    deployment, service = objects()
    template = deployment["spec"]["template"]
    pod = template["spec"]
    (serve,) = pod["containers"]
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    ports = {port["name"]: port["containerPort"] for port in serve["ports"]}
    assert ports[service["spec"]["ports"][0]["targetPort"]] == 8080
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert serve[probe]["httpGet"]["path"] == "/ping"
        assert serve[probe]["httpGet"]["port"] in ports
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in (serve, *pod["initContainers"]):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    assert "/tmp" in [mount["mountPath"] for mount in serve["volumeMounts"]]  # all that `serve` writes to


def unpacked(archive: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Does what the init container does, into ``target``."""
    target.mkdir()
    (init,) = objects()[0]["spec"]["template"]["spec"]["initContainers"]
    code = init["args"][0].replace("/opt/ml/model", str(target))
    environment = {**os.environ, init["env"][0]["name"]: archive.as_uri()}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_init_container_unpacks_a_model(tmp_path: Path) -> None:
    (source := tmp_path / "source").mkdir()
    (source / "model.json").write_text("{}")
    (source / "items.blob.npy").write_bytes(bytes(range(256)) * 1000)
    pack(source, tmp_path / "model.tar.gz")
    assert unpacked(tmp_path / "model.tar.gz", target := tmp_path / "target").returncode == 0
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {path.name: path.read_bytes() for path in source.iterdir()}


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "folder/inside", "..", "link"])
def test_the_init_container_unpacks_nothing_outside_its_folder(tmp_path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    if name == "link":
        member.type, member.linkname = tarfile.SYMTYPE, "../outside"
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.addfile(member)
    found = unpacked(tmp_path / "model.tar.gz", target := tmp_path / "target")
    assert (found.returncode, found.stderr) == (1, f"{name} does not belong into a model\n")
    assert list(target.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.tar.gz", "target"]

"""Puts a trained model behind a SageMaker endpoint, or updates the endpoint that is there.

    scripts/deploy_endpoint music --training-job music-recommender-20250131-120000 --wait
    scripts/deploy_endpoint music --newest --challenger s3://my-bucket/other/model.tar.gz --challenger-share 0.2 --wait
    scripts/deploy_endpoint music --model-data s3://my-bucket/model.tar.gz --image IMAGE --role ROLE_ARN --serverless-memory 2048
    scripts/deploy_endpoint later --newest --async-output s3://my-bucket/answers
    scripts/deploy_endpoint many --model-data s3://my-bucket/models/ --multi-model --image IMAGE --role ROLE_ARN
    scripts/deploy_endpoint music --newest --shadow s3://my-bucket/other/model.tar.gz --capture s3://my-bucket/captured

An endpoint that exists is updated without a gap: SageMaker starts the new machines before it stops the old ones. One whose creation has
failed is deleted and made again. The models and the endpoint configuration get new names each time and the old ones stay, so that going
back is one `update_endpoint`; scripts/teardown deletes them all.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from scripts import aws
from scripts.aws_advice import with_advice
from scripts.aws_options import NAME, add_account_options
from scripts.cloud_logs import last_lines
from scripts.command_line import CommandError, run
from scripts.endpoint_request import add_endpoint_options, check, endpoint_requests, models_place
from scripts.trained_model import add_model_options, find_trained_model

RUNNING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/deploy_endpoint", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("endpoint", help="name of the endpoint")
    add_model_options(parser)
    add_endpoint_options(parser)
    add_account_options(parser)
    parser.add_argument("--wait", action="store_true", help="waits until it serves; ends non-zero if it does not")
    parser.add_argument("--dry-run", action="store_true", help="prints the requests as JSON and sends nothing that changes anything")
    return parser.parse_args(arguments)


def describe(sagemaker: Any, endpoint: str) -> dict[str, Any] | None:
    """Returns the description of the endpoint, or None if there is none."""
    try:
        return dict(sagemaker.describe_endpoint(EndpointName=endpoint))
    except ClientError as error:
        if aws.is_missing(error):
            return None
        raise


def at_rest(sagemaker: Any, endpoint: str) -> dict[str, Any] | None:
    """Returns the description of the endpoint once no change of it is under way, since SageMaker takes no second one; None without one."""
    found = describe(sagemaker, endpoint)
    if found is None or found["EndpointStatus"] not in RUNNING:
        return found
    print(f"{endpoint} is {found['EndpointStatus']}; waiting for that to end")
    gone = {"EndpointStatus": "gone"}
    end = aws.wait(
        lambda: describe(sagemaker, endpoint) or gone, lambda answer: str(answer["EndpointStatus"]), lambda status: status in RUNNING
    )
    return None if end == gone else end


def deploy(sagemaker: Any, planned: Mapping[str, Any]) -> None:
    """Sends the requests. What was made of them is deleted again where a later one is refused."""
    endpoint = planned["create_endpoint"]
    name, configuration = endpoint["EndpointName"], endpoint["EndpointConfigName"]
    before = at_rest(sagemaker, name)
    made: list[tuple[str, dict[str, str]]] = []
    try:
        for model in planned["create_model"]:
            sagemaker.create_model(**model)
            made.insert(0, ("delete_model", {"ModelName": model["ModelName"]}))
        sagemaker.create_endpoint_config(**planned["create_endpoint_config"])
        made.insert(0, ("delete_endpoint_config", {"EndpointConfigName": configuration}))
        if before and before["EndpointStatus"] == "Failed":
            print(f"the endpoint {name} had failed; deleting it")
            sagemaker.delete_endpoint(EndpointName=name)
            before = at_rest(sagemaker, name)
        if before is None:
            sagemaker.create_endpoint(**endpoint)
        else:
            sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=configuration)
    except ClientError:
        for method, arguments in made:
            getattr(sagemaker, method)(**arguments)
        raise
    print(f"creating the endpoint {name} with {configuration}" if before is None else f"updating the endpoint {name} to {configuration}")


def wait_for(sagemaker: Any, endpoint: str, configuration: str, logs: Any = None) -> int:
    """Waits until the endpoint is at rest. Returns 0 if it serves this configuration (an update that fails rolls back to the old one).

    Otherwise it prints the reason and, with a client for ``logs``, the last lines of the container.
    """
    end = aws.wait(
        lambda: sagemaker.describe_endpoint(EndpointName=endpoint),
        lambda answer: str(answer["EndpointStatus"]),
        lambda status: status in RUNNING,
    )
    if end["EndpointStatus"] == "InService" and end["EndpointConfigName"] == configuration:
        return 0
    print(with_advice(f"{endpoint} is {end['EndpointStatus']}: {end.get('FailureReason', 'no reason given')}"), file=sys.stderr)
    if end["EndpointStatus"] == "InService":
        print(f"it still serves {end['EndpointConfigName']}", file=sys.stderr)
    for line in last_lines(logs, f"Endpoints/{endpoint}") if logs else []:
        print(f"    {line}", file=sys.stderr)
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploys or updates an endpoint, or prints the requests. Returns 0, or 1 if it failed; raises ``CommandError``."""
    options = parse_arguments(arguments)
    if not NAME.fullmatch(options.endpoint):
        raise CommandError(f"{options.endpoint}: an endpoint's name has letters, digits and hyphens inside, at most 63")
    check(options)
    with aws.readable_errors():
        sagemaker = None if options.dry_run and options.model_data else aws.client("sagemaker", options.region)
        model = find_trained_model(options, sagemaker, many=options.multi_model)
        planned = endpoint_requests(options, model)
        if options.dry_run:
            print(json.dumps(planned, indent=2))
            return 0
        deploy(sagemaker, planned)
        if not options.wait:
            return 0
        configuration = planned["create_endpoint"]["EndpointConfigName"]
        status = wait_for(sagemaker, options.endpoint, configuration, aws.client("logs", options.region))
    if status == 0 and options.async_output:
        print(f"{options.endpoint} serves; ask it with boto3's invoke_endpoint_async, an answer comes to {options.async_output}")
    elif status == 0:
        region = f" --region {options.region}" if options.region else ""
        target = f" --target-model {models_place(model)[1]}" if options.multi_model else ""
        print(f"{options.endpoint} serves; ask it: scripts/invoke --endpoint {options.endpoint}{region}{target} --user USER_ID")
    return status


if __name__ == "__main__":
    sys.exit(run(main))

"""What a refusal of AWS becomes: the words of AWS, and a sentence that says what to do."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from scripts import aws
from scripts.aws_advice import with_advice
from scripts.command_line import CommandError

ROLE = "arn:aws:iam::123456789012:role/none"


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("ResourceLimitExceeded", "The account-level service limit 'ml.p4 for training job usage' is 0 Instances", "larger quota"),
        ("ValidationException", f"Could not assume role {ROLE}. Please ensure that the role exists", "trusts sagemaker.amazonaws.com"),
        ("AccessDeniedException", f"User is not authorized to perform: iam:PassRole on resource: {ROLE}", "needs iam:PassRole"),
        ("AccessDeniedException", "User: x is not authorized to perform: sagemaker:CreateTrainingJob", "lack this permission"),
        ("ValidationException", "No S3 objects: The specified bucket does not exist", "make the bucket"),
        ("NoSuchBucket", "The specified bucket does not exist", "make the bucket"),
        ("ExpiredToken", "The security token included in the request is expired", "log in again"),
        ("ThrottlingException", "Rate exceeded", "wait a minute"),
    ],
)
def test_a_common_refusal_says_what_to_do(code: str, message: str, said: str) -> None:
    with pytest.raises(CommandError) as caught, aws.readable_errors():
        raise ClientError({"Error": {"Code": code, "Message": message}}, "CreateTrainingJob")
    assert str(caught.value).startswith(f"AWS refused CreateTrainingJob: {code}: {message.rstrip('. ')}. What to do: ")
    assert said in str(caught.value)


def test_an_unknown_refusal_is_told_as_it_is() -> None:
    assert with_advice("ValidationException: 1 validation error.") == "ValidationException: 1 validation error."
    assert with_advice("AlgorithmError: Add a column item_id.") == "AlgorithmError: Add a column item_id."


def test_the_end_of_a_job_counts_its_secondary_status_too() -> None:
    assert with_advice("job ended as Stopped", "MaxWaitTimeExceeded").endswith("or leave out --spot")
    assert "more memory" in with_advice("AlgorithmError: , exit code: 137")

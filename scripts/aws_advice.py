"""What to do about a refusal of AWS or the end of a job: one sentence for each of the common ones."""

from __future__ import annotations

import re

# The first pattern that is found in "code: message" counts, whatever its case.
_ADVICE = (
    (
        r"ResourceLimitExceeded|service limit",
        "ask for a larger quota in Service Quotas (SageMaker), or take another --instance-type or fewer instances",
    ),
    (
        r"could not assume role|cannot be assumed|unable to assume|invalid principal|NoSuchEntity",
        "check that the role exists in this account and trusts sagemaker.amazonaws.com (scripts/templates/cloudformation.yaml makes one)",
    ),
    (r"iam:PassRole", "your own user or role needs iam:PassRole for the role that --role names"),
    (r"ExpiredToken|security token .* expired", "log in again: the credentials have expired"),
    (r"UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch|InvalidAccessKeyId", "check AWS_PROFILE or the AWS_* variables"),
    (
        r"NoSuchBucket|bucket.* (does not|doesn't) exist|no bucket ",
        "make the bucket (`aws s3 mb s3://NAME`), or correct its name; it must be in the region of the job",
    ),
    (
        r"PermanentRedirect|different region|is in this region|301",
        "the bucket is in another region than the job: use one in the same region",
    ),
    (
        r"(ecr|image|repository).*(AccessDenied|does not exist|not found|not authorized)|(does not exist|not found).*(registry|repository)",
        "check the address of the image as scripts/build_and_push printed it, and that the role may pull it from ECR",
    ),
    (
        r"AccessDenied|not authorized|Forbidden|403",
        "the credentials, or the role where a job says so, lack this permission: add it, or use others (AWS_PROFILE)",
    ),
    (r"ThrottlingException|TooManyRequests|Rate exceeded", "wait a minute and run the command again"),
    (
        r"CapacityError|InsufficientInstanceCapacity|insufficient capacity",
        "AWS has no such machine free now: try again later, or another --instance-type",
    ),
    (r"ping health check", "read the container's log: `serve` says in its last lines why it does not become ready"),
    (r"MaxRuntimeExceeded", "give a larger --max-runtime; with --checkpoints the next job goes on where this one was"),
    (r"MaxWaitTimeExceeded", "no spot machine was free for long enough: give a larger --max-wait, or leave out --spot"),
    (r"OutOfMemory|exit code: 137", "take a machine with more memory, or set -p memory_limit_gb"),
)


def advice(*words: object) -> str:
    """Returns what to do about it, or "" where nothing better is known than the words themselves."""
    text = ": ".join(str(word) for word in words if word)
    return next((sentence for pattern, sentence in _ADVICE if re.search(pattern, text, re.IGNORECASE | re.DOTALL)), "")


def with_advice(text: str, *words: object) -> str:
    """Returns the text, and what to do about it in a second sentence. ``words`` are looked at besides the text."""
    found = advice(text, *words)
    return f"{text.rstrip('. ')}. What to do: {found}" if found else text

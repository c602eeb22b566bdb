"""How the local SageMaker refuses: with the classes, and as far as they are known the words, of the real one."""

from __future__ import annotations


class ApiError(Exception):
    """A request that is refused. ``kind`` is the error's class in botocore's model of the service; ``members`` are its further fields."""

    def __init__(self, kind: str, message: str, status: int = 400, **members: object) -> None:
        super().__init__(message)
        self.kind, self.message, self.status, self.members = kind, message, status, members


def invalid(message: str) -> ApiError:
    """Returns what SageMaker's own API answers to a request that cannot be carried out."""
    return ApiError("ValidationException", message)


def not_here(what: str, instead: str = "") -> ApiError:
    """Returns the refusal of something that AWS does and the local SageMaker does not: never a pretence of having done it."""
    return invalid(f"local_sagemaker does not do this: {what}." + (f" {instead}" if instead else ""))


class JobError(Exception):
    """A job cannot go on. The message is its ``FailureReason``."""

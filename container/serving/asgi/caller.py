"""What InvokeEndpoint says about a request in headers. None of it reaches a log or an answer unchecked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as quoted

ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
INFERENCE_ID = b"x-amzn-sagemaker-inference-id"
TARGET_MODEL = b"x-amzn-sagemaker-target-model"
# The limits of the platform's own API.
_LONGEST_ATTRIBUTES = 1024
_VISIBLE_TEXT = re.compile(rb"[ -~]{1,1024}")
_WORD = re.compile(rb"[!-~]{1,64}")
_LONGEST_LOGGED_TARGET = 200


class Caller:
    """``inference_id``: the caller's own id of the request, None where there is none, or none that a log line can hold. ``target``: the
    model that is asked, or None. ``content_type``, ``accept``: the headers, or None. ``expects``: something that only he knows.
    ``awaits_continue``: he sends the body when he is told that it is wanted."""

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.inference_id = self.target = self.content_length = self._attributes = None
        self.content_type: str | None = None
        self.accept: str | None = None
        self.expects = self.awaits_continue = False
        for name, value in headers:
            if name == b"content-type":
                self.content_type = value.decode("latin-1")
            elif name == b"accept":
                self.accept = value.decode("latin-1")
            elif name == b"content-length":
                self.content_length = int(value)
            elif name == b"expect":
                self.awaits_continue = value.lower() == b"100-continue"
                self.expects = not self.awaits_continue
            elif name == INFERENCE_ID and self.inference_id is None:
                self.inference_id = value if _WORD.fullmatch(value) else None
            elif name == ATTRIBUTES and self._attributes is None:
                self._attributes = value if _VISIBLE_TEXT.fullmatch(value) else None
            elif name == TARGET_MODEL and self.target is None:
                self.target = value

    def answer(self, version: bytes) -> bytes:
        """Returns the attributes of the answer: the model's version, then what the caller sent, where both fit."""
        ours = b"model-version=" + (version if _WORD.fullmatch(version) else b"unknown")
        if self._attributes is None or len(ours) + 1 + len(self._attributes) > _LONGEST_ATTRIBUTES:
            return ours
        return ours + b";" + self._attributes

    def json_fields(self) -> str:
        """Returns what belongs into the log line, a comma before each field. The target is a key of S3, hence its odd characters are
        replaced."""
        out = "" if self.inference_id is None else f',"inference_id":{quoted(self.inference_id.decode("ascii"))}'
        if self.target is not None:
            out += f',"target":{quoted(re.sub("[^!-~]", "?", self.target[:_LONGEST_LOGGED_TARGET].decode("latin-1")))}'
        return out

"""The limits of the platform, as AWS documents them. Seconds and bytes."""

from __future__ import annotations

PING_SECONDS = 2.0  # until a ping has to be answered
CONNECT_SECONDS = 0.25  # until a connection has to be accepted
REPLY_SECONDS = 60.0  # until a request has to be answered on a real-time endpoint
STOP_SECONDS = 30.0  # between SIGTERM and SIGKILL
PAYLOAD = 6 * 1024 * 1024  # of a request on a real-time endpoint
ATTRIBUTES = 1024  # characters of X-Amzn-SageMaker-Custom-Attributes, visible ASCII
INFERENCE_ID = 64  # characters
BATCH_STRATEGIES = ("SINGLE_RECORD", "MULTI_RECORD", "SingleRecord", "MultiRecord")
BATCH_PAYLOAD_MB = 100  # the largest MaxPayloadInMB, and the largest product of it with MaxConcurrentTransforms

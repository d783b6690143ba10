"""Tells CloudFormation how a request ended; without an answer its stack hangs for an hour.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

#: The whole answer may have 4096 bytes.
MAX_REASON_CHARACTERS = 1000
TIMEOUT_S = 10


def body(event: Mapping[str, Any], *, physical_id: str, reason: str | None) -> dict[str, Any]:
    """Return the answer to a request; a reason means that it failed."""
    return {
        "Status": "SUCCESS" if reason is None else "FAILED",
        "Reason": (reason or "applied")[:MAX_REASON_CHARACTERS],
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }


def send(url: str, answer: Mapping[str, Any]) -> None:
    """PUT the answer to a presigned URL, which wants an empty content type. Raises: OSError."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("ResponseURL must be http or https")
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
        url, data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310 - likewise
        pass

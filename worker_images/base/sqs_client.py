"""SQS's JSON protocol by hand, with the names of boto3's client: a fifth of its CPU a call.

What a worker does all day is receive and delete, and there boto3 spends a millisecond of CPU on
each call: endpoint rules, validation, events and a parser, none of which these calls need. See
`python -m benchmarks.loop`. Credentials, region and endpoint are still botocore's to find.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.httpsession import get_cert_path

from worker_images.base.sigv4 import Signer

#: Above what a call may wait for by itself (a long poll).
TIMEOUT_S = 15.0
#: Pauses between tries of a call that the network or the service failed.
RETRY_S = (0.1, 0.4)
_RETRIED = frozenset({429, 500, 502, 503, 504})


class SqsClient:
    """The calls of a consumer, one keep-alive connection a thread.

    Raises, as boto3's client does: ClientError for what SQS refuses; and OSError or
    http.client.HTTPException when it cannot be reached.
    """

    def __init__(
        self,
        endpoint: str,
        region: str,
        credentials: Credentials,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(endpoint)
        self._secure, self._netloc = parts.scheme == "https", parts.netloc
        self._credentials = credentials
        self._signer = Signer("sqs", region, parts.netloc)
        self._tls = ssl.create_default_context(cafile=get_cert_path(True))
        self._local = threading.local()
        self._sleep = sleep

    def get_queue_url(self, **request: Any) -> dict[str, Any]:
        """GetQueueUrl."""
        return self._call("GetQueueUrl", request)

    def receive_message(self, **request: Any) -> dict[str, Any]:
        """ReceiveMessage."""
        return self._call("ReceiveMessage", request, request.get("WaitTimeSeconds", 0))

    def delete_message(self, **request: Any) -> dict[str, Any]:
        """DeleteMessage."""
        return self._call("DeleteMessage", request)

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        """DeleteMessageBatch; what was refused is in `Failed`."""
        return self._call("DeleteMessageBatch", request)

    def change_message_visibility(self, **request: Any) -> dict[str, Any]:
        """ChangeMessageVisibility."""
        return self._call("ChangeMessageVisibility", request)

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        """ChangeMessageVisibilityBatch; what was refused is in `Failed`."""
        return self._call("ChangeMessageVisibilityBatch", request)

    def _call(self, operation: str, request: dict[str, Any], wait_s: float = 0.0) -> dict[str, Any]:
        body = json.dumps(request).encode()
        for pause_s in (*RETRY_S, None):
            try:
                status, answer = self._post(operation, body, wait_s)
            except (OSError, http.client.HTTPException):
                self._drop()
                if pause_s is None:
                    raise
            else:
                if status == 200:
                    return json.loads(answer) if answer else {}
                if pause_s is None or status not in _RETRIED:
                    raise _error(operation, status, answer)
            self._sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    def _post(self, operation: str, body: bytes, wait_s: float) -> tuple[int, bytes]:
        connection = self._connection()
        keys = self._credentials.get_frozen_credentials()
        headers = self._signer.headers(f"AmazonSQS.{operation}", body, keys, datetime.now(UTC))
        if connection.sock is None:
            connection.connect()
        connection.sock.settimeout(wait_s + TIMEOUT_S)
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is None:
            found = (
                http.client.HTTPSConnection(self._netloc, timeout=TIMEOUT_S, context=self._tls)
                if self._secure
                else http.client.HTTPConnection(self._netloc, timeout=TIMEOUT_S)
            )
            self._local.connection = found
        return found

    def _drop(self) -> None:
        """Close this thread's connection: a server ends one that was idle for long."""
        self._connection().close()


def open_sqs(region: str) -> SqsClient:
    """Return the client of a region, with what botocore knows of endpoint and credentials."""
    session = boto3.Session(region_name=region)
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    endpoint = session.client("sqs").meta.endpoint_url
    return SqsClient(endpoint, region, credentials)


def _error(operation: str, status: int, answer: bytes) -> ClientError:
    """Return what boto3 would raise for an answer."""
    try:
        fields = json.loads(answer)
    except ValueError:
        fields = {}
    error = {
        "Code": str(fields.get("__type", status)).rpartition("#")[2],
        "Message": str(fields.get("message") or fields.get("Message") or f"HTTP {status}"),
    }
    metadata = {"HTTPStatusCode": status}
    return ClientError({"Error": error, "ResponseMetadata": metadata}, operation)  # type: ignore[typeddict-item]

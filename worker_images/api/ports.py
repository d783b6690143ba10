"""The queue and the bucket as the API uses them, opened once a process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from worker_images.api.lost_messages import Depth
from worker_images.api.outbox import QueueUnavailable
from worker_images.base.storage import Storage, open_storage

#: A person waits for the answer, and /healthz for a thread, so a service that does not answer gets
#: a few seconds and one more try.
_IMPATIENT = Config(
    connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2}
)
#: Waiting, in flight, delayed.
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsSender:
    """Sends bodies to queues by their keys. Calls: GetQueueAttributes, GetQueueUrl, SendMessage."""

    def __init__(self, client: Any, queue_names: Mapping[str, str]) -> None:
        self._client = client
        self._names = queue_names
        self._urls: dict[str, str] = {}

    def send(self, queue: str, body: str) -> None:
        """Send one message. Raises: QueueUnavailable with the reason."""
        try:
            if queue not in self._urls:
                self._urls[queue] = self.url(queue)
            self._client.send_message(QueueUrl=self._urls[queue], MessageBody=body)
        except (BotoCoreError, ClientError) as error:
            self._urls.pop(queue, None)
            raise QueueUnavailable(str(error)) from error

    def depth(self, queue: str) -> Depth:
        """Ask SQS what a queue holds. Raises: QueueUnavailable."""
        try:
            answer = self._client.get_queue_attributes(
                QueueUrl=self.url(queue), AttributeNames=[*_COUNTS, "VisibilityTimeout"]
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(str(error)) from error
        found = answer["Attributes"]
        return Depth(
            messages=sum(int(found[name]) for name in _COUNTS),
            visibility_timeout_s=float(found["VisibilityTimeout"]),
        )

    def url(self, queue: str) -> str:
        """Ask SQS for a queue's URL, which also shows that it answers and may be used."""
        url: str = self._client.get_queue_url(QueueName=self._names[queue])["QueueUrl"]
        return url


@cache
def sender() -> SqsSender:
    """Return the process's sender."""
    client = boto3.client("sqs", region_name=settings.API.region, config=_IMPATIENT)
    return SqsSender(client, settings.API.queue_names)


@cache
def storage() -> Storage:
    """Return the video bucket."""
    stored = settings.API.storage
    return open_storage(stored, stored.video_bucket, _IMPATIENT)


@cache
def excel_storage() -> Storage:
    """Return the bucket of rosters and exports."""
    return open_storage(settings.API.storage, settings.API.excel_bucket, _IMPATIENT)


def exists(key: str) -> bool:
    """Whether the video bucket holds `key`."""
    return storage().head(key) is not None

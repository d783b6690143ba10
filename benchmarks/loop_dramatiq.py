"""The no-op job under dramatiq over SQS: `dramatiq benchmarks.loop_dramatiq --processes 1`."""

from __future__ import annotations

import os

import dramatiq
from dramatiq_sqs import SQSBroker

QUEUE = "dramatiq-jobs"
broker = SQSBroker(endpoint_url=os.environ.get("AWS_ENDPOINT_URL"), region_name="ap-northeast-2")
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=QUEUE, actor_name="noop")
def noop(job_id: str) -> None:
    """Do nothing."""

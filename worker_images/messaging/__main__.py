"""`python -m worker_images.messaging`: composes the worker and runs it until it may go."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import boto3

from config.contracts.text_messages import TextJob
from worker_images.base.consumer import Consumer
from worker_images.base.job_kinds import TEXTS
from worker_images.base.main import run_worker
from worker_images.base.parts import Parts
from worker_images.messaging.alert import Watch
from worker_images.messaging.circuit import Circuit
from worker_images.messaging.old_texts import Adopted, OldText, decode
from worker_images.messaging.pace import PER_SECOND, Pace
from worker_images.messaging.parking import Parked
from worker_images.messaging.rows import TextRows
from worker_images.messaging.send import SendText
from worker_images.messaging.settings import load_messaging_settings, open_provider

#: What the lines of the loop start with, as those of the video worker do (the runbook's 7.4).
MARKER = "MESSAGING-WORKER-SQS"


def compose(parts: Parts, environ: Mapping[str, str]) -> Consumer:
    """Return the consumer of the messaging queue with everything it needs."""
    settings = load_messaging_settings(environ)
    provider = open_provider(settings)
    rows = TextRows(parts.database.cursor)
    send = SendText(
        provider=provider,
        watch=Watch(
            circuit=Circuit(parts.database.cursor, provider.name),
            sns=boto3.client("sns", region_name=parts.settings.region),
            topic_arn=settings.alert_topic_arn,
            provider=provider.name,
            environment=parts.settings.environment,
        ),
        pace=Pace(PER_SECOND[provider.name], parts.clock),
        alimtalk=bool(settings.kakao_sender_key),
    )
    return parts.consumer(
        marker=MARKER,
        queues=("messaging",),
        decode=decode,
        jobs={TextJob: (TEXTS, send), OldText: (TEXTS, send)},
        around_jobs=(Parked(rows), Adopted(rows)),
        short=True,
    )


if __name__ == "__main__":
    sys.exit(run_worker("messaging", compose))

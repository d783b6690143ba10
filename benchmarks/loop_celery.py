"""The no-op job under Celery over SQS, as fast as it was seen to go.

`celery -A benchmarks.loop_celery worker --pool=prefork -c 1`: the solo and thread pools were
slower, and so were a smaller prefetch and its default pause of a second between polls.
"""

from __future__ import annotations

import os

from celery import Celery

QUEUE = "celery-jobs"
app = Celery("loop", broker=os.environ.get("LOOP_CELERY_BROKER", "sqs://"))
app.conf.update(
    task_default_queue=QUEUE,
    task_ignore_result=True,
    worker_prefetch_multiplier=100,
    broker_transport_options={
        "region": "ap-northeast-2",
        "is_secure": False,
        "polling_interval": 0,
    },
)


@app.task(name="noop")
def noop(job_id: str) -> None:
    """Do nothing."""

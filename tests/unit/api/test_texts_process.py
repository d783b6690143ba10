"""The messaging worker as its container starts it: a real process, killed while it sends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.db import connection
from moto.sns.models import sns_backends

from config.contracts import environment as names
from tests.unit.api.conftest import Api
from tests.unit.api.servers import AWS, ENVIRONMENT, Service, wait_until
from tests.unit.api.test_texts_worker import take
from tests.unit.messaging.provider_server import (
    API_KEY,
    KAKAO_KEY,
    USER_ID,
    Fault,
    ProviderServer,
    provider_server,
)
from worker_images.api.models import TextMessage

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[3]
QUEUE = ENVIRONMENT["MESSAGING_SQS_QUEUE_NAME"]
MESSAGING = {
    "ENVIRONMENT": "local",
    "WORKER_KIND": "messaging",
    "IDLE_S": "2",
    "ATTEMPTS": "5",
    "VISIBILITY_TIMEOUT_S": "3",
    "TIME_LIMIT_S": "60",
    "HANG_LIMIT_S": "30",
    "CONCURRENCY": "5",
    "MESSAGING_PROVIDER": "aligo",
    "ALIGO_TESTMODE": "N",
    "MESSAGING_API_KEY": API_KEY,
    "MESSAGING_USER_ID": USER_ID,
    "KAKAO_SENDER_KEY": KAKAO_KEY,
}


@dataclass
class Line:
    """Queue, topic and provider, and workers that use them."""

    server: ProviderServer
    environ: dict[str, str]
    folder: Path
    url: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "worker_images.messaging"],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
            )
        self.workers.append(worker)
        return worker

    def send(self, *bodies: str) -> None:
        for body in bodies:
            boto3.client("sqs").send_message(QueueUrl=self.url, MessageBody=body)

    def waiting(self) -> int:
        """Return how many messages the queue holds, hidden ones too."""
        kinds = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = boto3.client("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=kinds)
        return sum(int(answer["Attributes"][kind]) for kind in kinds)

    def log(self) -> str:
        return (self.folder / "worker.log").read_text()


@pytest.fixture
def line(database: None, queue: Service, tmp_path: Path) -> Iterator[Line]:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE text_messages, provider_circuits, outbox")
    url = boto3.client("sqs").create_queue(QueueName=QUEUE)["QueueUrl"]
    topic = boto3.client("sns").create_topic(Name="operators")["TopicArn"]
    with provider_server() as server:
        environ = {
            **dict.fromkeys(names.WORKERS, "unused"),
            **ENVIRONMENT,
            **AWS,
            **MESSAGING,
            "PATH": os.environ["PATH"],
            "TMPDIR": str(tmp_path),
            "ALERT_TOPIC_ARN": topic,
            "MESSAGING_ENDPOINT": server.endpoint,
        }
        line = Line(server, environ, tmp_path, url)
        yield line
        for worker in line.workers:
            worker.kill()
            worker.wait(20)
    boto3.client("sqs").delete_queue(QueueUrl=url)


def all_are(state: str) -> Callable[[], bool]:
    return lambda: not TextMessage.objects.exclude(state=state).exists()


def test_a_worker_sends_each_text_once_and_ends_cleanly(api: Api, line: Line) -> None:
    bodies = take(api, count=12)
    line.send(*bodies, *bodies)
    worker = line.start()
    wait_until(all_are("SENT"))
    wait_until(lambda: line.waiting() == 0)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert len(line.server.out) == 12
    assert "MESSAGING-WORKER-SQS message received" in line.log()
    for secret in (API_KEY, KAKAO_KEY, "01012340000", "수업이 끝났습니다"):
        assert secret not in line.log()


def test_a_worker_killed_while_it_sends_leaves_a_doubt_that_nobody_resends(
    api: Api, line: Line
) -> None:
    line.server.fault = Fault.SILENT_AFTER
    line.send(*take(api))
    worker = line.start()
    wait_until(lambda: len(line.server.out) == 1)
    worker.kill()
    worker.wait(20)
    assert all_are("SENDING")()
    line.server.fault = Fault.NONE
    line.start()
    wait_until(all_are("UNKNOWN"))
    wait_until(lambda: line.waiting() == 0)
    assert len(line.server.out) == 1


def test_administrators_hear_of_an_outage_and_texts_leave_the_queue(api: Api, line: Line) -> None:
    line.server.fault = Fault.NO_MONEY
    line.send(*take(api, count=6))
    line.start()
    wait_until(lambda: line.waiting() == 0)
    assert all_are("QUEUED")()
    topics: Any = sns_backends["123456789012"]["ap-northeast-2"].topics
    (alert,) = topics[line.environ["ALERT_TOPIC_ARN"]].sent_notifications
    assert "충전금이 부족합니다" in str(alert)

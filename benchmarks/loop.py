"""Messages a second and client CPU a message of our loop, Celery's and dramatiq's.

    python -m benchmarks.loop [--json] [--messages 3000] [--rounds 3]

No-op jobs on one fast SQS stand-in in a process of its own, the clients one after the other in
processes of their own, in each round. Counted from a tenth of the messages on, when everything is
warm. Celery runs one prefork process and dramatiq its default eight threads, where each is fastest;
both receive ten and delete one by one, which is how their SQS transports work. `ours, one by one`
receives one and deletes one. Printed are medians, and only their ratios travel to other machines.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import uuid4

import psutil

from benchmarks import loop_celery, loop_dramatiq, loop_ours
from config.contracts.text_messages import TextJob, encode_text_job

WARM = 0.1
POLL_S = 0.01
#: Longest that a client may take, its start included.
TIMEOUT_S = 120
OURS, ONE, CELERY, DRAMATIQ = "ours, batches", "ours, one by one", "celery", "dramatiq"


@dataclass(frozen=True)
class Client:
    """A program that consumes, and how many times `--messages` it is given."""

    queue: str
    command: tuple[str, ...]
    share: int


CLIENTS = {
    OURS: Client(loop_ours.QUEUE, ("-m", "benchmarks.loop_ours", "5"), 5),
    ONE: Client(loop_ours.QUEUE, ("-m", "benchmarks.loop_ours", "1"), 1),
    CELERY: Client(
        loop_celery.QUEUE,
        (
            *("-m", "celery", "-A", "benchmarks.loop_celery", "worker", "--pool=prefork"),
            *("-c", "1"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "ERROR"),
        ),
        1,
    ),
    DRAMATIQ: Client(
        loop_dramatiq.QUEUE,
        ("-m", "dramatiq", "benchmarks.loop_dramatiq", "--processes", "1"),
        1,
    ),
}


class Sqs:
    """The stand-in as the measuring process talks to it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def call(self, operation: str, **asked: Any) -> Any:
        """Make one call."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.endpoint,
            json.dumps(asked).encode(),
            {"X-Amz-Target": f"AmazonSQS.{operation}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read())

    def url(self, name: str) -> str:
        """Return a queue's URL; asking makes it."""
        return str(self.call("GetQueueUrl", QueueName=name)["QueueUrl"])

    def fill(self, url: str, body: str, count: int) -> None:
        """Send `count` messages of one body."""
        for first in range(0, count, 100):
            entries = [
                {"Id": str(at), "MessageBody": body} for at in range(first, min(count, first + 100))
            ]
            self.call("SendMessageBatch", QueueUrl=url, Entries=entries)

    def deleted(self, url: str) -> int:
        """Return how many messages were ever deleted from a queue."""
        found = self.call("GetQueueAttributes", QueueUrl=url)["Attributes"]
        return int(found["Deleted"])


@contextmanager
def stand_in() -> Iterator[Sqs]:
    """Start the stand-in, and end it afterwards."""
    command = [sys.executable, "-m", "benchmarks.sqs_standin"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None  # noqa: S101 - a pipe was asked for
            port = server.stdout.readline().split()[1]
            yield Sqs(f"http://127.0.0.1:{port}")
        finally:
            server.kill()


def bodies(sqs: Sqs, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the body that each client's own producer makes of the no-op job."""
    job = TextJob(
        str(uuid4()), 1, "01012345678", "안녕하세요", "0212345678", "2026-01-01T00:00:00Z"
    )
    made = {OURS: encode_text_job(job), ONE: encode_text_job(job)}
    for name, module, send in (
        (CELERY, "benchmarks.loop_celery", f"noop.delay({job.job_id!r})"),
        (DRAMATIQ, "benchmarks.loop_dramatiq", f"noop.send({job.job_id!r})"),
    ):
        code = f"from {module} import noop; {send}"
        subprocess.run([sys.executable, "-c", code], env=dict(environ), check=True)
        url = sqs.url(CLIENTS[name].queue)
        (message,) = sqs.call("ReceiveMessage", QueueUrl=url)["Messages"]
        sqs.call("DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        made[name] = message["Body"]
    return made


def measure(
    sqs: Sqs, client: Client, body: str, count: int, environ: Mapping[str, str]
) -> tuple[float, float]:
    """Return messages a second and milliseconds of CPU a message of one client."""
    url = sqs.url(client.queue)
    before = sqs.deleted(url)
    sqs.fill(url, body, count)
    command = [sys.executable, *client.command]
    with subprocess.Popen(
        command, env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            warm, began, cpu = _after(sqs, url, before + int(count * WARM), process)
            done, ended, spent = _after(sqs, url, before + count, process)
        finally:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
    messages = done - warm
    return messages / (ended - began), (spent - cpu) / messages * 1000


def _after(
    sqs: Sqs, url: str, count: int, process: subprocess.Popen[bytes]
) -> tuple[int, float, float]:
    """Wait until `count` were deleted; return how many were, the time, and the CPU so far."""
    deadline = time.monotonic() + TIMEOUT_S
    while (found := sqs.deleted(url)) < count:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args} deleted {found} of {count}")
        time.sleep(POLL_S)
    return found, time.monotonic(), _cpu_s(process.pid)


def _cpu_s(pid: int) -> float:
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def compare(messages: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the medians of every client."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CLIENTS}
    with stand_in() as sqs:
        environ = _environ(sqs.endpoint)
        made = bodies(sqs, environ)
        for _ in range(rounds):
            for name, client in CLIENTS.items():
                count = messages * client.share
                found[name].append(measure(sqs, client, made[name], count, environ))
    return {
        name: {
            "messages_per_s": median(rate for rate, _ in runs),
            "cpu_ms": median(cpu for _, cpu in runs),
        }
        for name, runs in found.items()
    }


def _environ(endpoint: str) -> dict[str, str]:
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "LOOP_CELERY_BROKER": endpoint.replace("http://", "sqs://testing:testing@"),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found = compare(options.messages, options.rounds)
    if options.json:
        print(json.dumps(found))
        return
    head = f"{'client':20}{'msgs/s':>9}{'CPU ms':>8}{'/ celery':>10}{'/ dramatiq':>12}"
    print(head)
    for name, values in found.items():
        ratios = [
            values["messages_per_s"] / found[other]["messages_per_s"]
            for other in (CELERY, DRAMATIQ)
        ]
        print(
            f"{name:20}{values['messages_per_s']:9.0f}{values['cpu_ms']:8.3f}"
            f"{ratios[0]:10.1f}{ratios[1]:12.1f}"
        )


if __name__ == "__main__":
    main()

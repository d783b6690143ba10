"""Messages a second of the embedded SQS over HTTP at a given depth, against moto's own SQS.

    python -m benchmarks.sqs_throughput [--depth 1000] [--messages 200] [--rounds 3] [--json]

Both servers listen on loopback in this process and are called one after the other through boto3.
A round sends, receives and deletes up to `--messages` messages, or as many as fit into
`--budget-s`; the queue is filled to its depth again before each. Printed are medians.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from local.clock import SystemClock
from local.server import build

BODY = json.dumps({"job_id": "5b0f2a55-0000-4000-8000-000000000000", "video_id": 1, "tenant_id": 1})


class Quiet(WSGIRequestHandler):
    """moto's server as it ships, without a line for each request."""

    def log_request(self, *_: Any) -> None:
        """Log nothing."""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_ours() -> str:
    """Start the embedded AWS and return its endpoint."""
    aws = build(port=free_port(), clock=SystemClock())
    aws.start()
    return aws.endpoint


def start_moto() -> str:
    """Start moto's server and return its endpoint."""
    port = free_port()
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://localhost:{port}"


class Bench:
    """One queue at one endpoint, kept at its depth."""

    def __init__(self, endpoint: str, depth: int) -> None:
        self._sqs = boto3.client(
            "sqs",
            endpoint_url=endpoint,
            region_name="ap-northeast-2",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - accepted locally alone
            config=Config(retries={"total_max_attempts": 1}),
        )
        attributes = {"VisibilityTimeout": "3600"}
        self._url = self._sqs.create_queue(QueueName="bench", Attributes=attributes)["QueueUrl"]
        self._depth = depth

    def fill(self) -> None:
        """Bring the queue to its depth."""
        name = "ApproximateNumberOfMessages"
        found = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        missing = self._depth - int(found["Attributes"][name])
        while missing > 0:
            size = min(10, missing)
            entries = [{"Id": str(n), "MessageBody": BODY} for n in range(size)]
            self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            missing -= size

    def send(self) -> int:
        """Send one message."""
        self._sqs.send_message(QueueUrl=self._url, MessageBody=BODY)
        return 1

    def receive(self) -> int:
        """Receive one message and delete it."""
        [message] = self._sqs.receive_message(QueueUrl=self._url)["Messages"]
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return 1

    def receive_ten(self) -> int:
        """Receive up to ten messages and delete them in one batch."""
        got = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)["Messages"]
        entries = [{"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"]} for m in got]
        self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
        return len(got)

    def rate(self, step: Callable[[], int], messages: int, budget_s: float) -> float:
        """Return messages a second of repeated steps, from the full depth."""
        self.fill()
        started, done = time.perf_counter(), 0
        while done < messages and time.perf_counter() - started < budget_s:
            done += step()
        return done / (time.perf_counter() - started)


def measure(endpoint: str, options: argparse.Namespace) -> dict[str, float]:
    """Return the median rate of each kind of step at an endpoint."""
    bench = Bench(endpoint, options.depth)
    steps = {
        "send 1": bench.send,
        "receive 1 + delete": bench.receive,
        "receive 10 + delete batch": bench.receive_ten,
    }
    return {
        name: statistics.median(
            bench.rate(step, options.messages, options.budget_s) for _ in range(options.rounds)
        )
        for name, step in steps.items()
    }


def main() -> None:
    """Measure both and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depth", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget-s", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ours = measure(start_ours(), options)
    moto = measure(start_moto(), options)
    rows = [
        {"step": name, "ours": ours[name], "moto": moto[name], "ratio": ours[name] / moto[name]}
        for name in ours
    ]
    if options.json:
        print(json.dumps({"depth": options.depth, "messages_per_s": rows}, indent=2))
        return
    print(f"messages per second at depth {options.depth}, median of {options.rounds}")
    print(f"{'':28}{'ours':>10}{'moto':>10}{'ratio':>8}")
    for row in rows:
        print(f"{row['step']:28}{row['ours']:10.0f}{row['moto']:10.1f}{row['ratio']:8.1f}")


if __name__ == "__main__":
    main()

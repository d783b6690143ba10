"""SQS by hand: signed as botocore signs, patient as boto3 is, and it raises what boto3 raises."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from worker_images.base.queue import SqsQueue
from worker_images.base.sigv4 import Signer
from worker_images.base.sqs_client import SqsClient

ROOT = Path(__file__).parents[3]
KEYS = Credentials("AKIDEXAMPLE", "secret")
REGION = "ap-northeast-2"


@given(
    body=st.binary(max_size=200),
    token=st.sampled_from([None, "a-token"]),
    target=st.sampled_from(["AmazonSQS.ReceiveMessage", "AmazonSQS.DeleteMessage"]),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 - UTC below
)
def test_a_call_is_signed_as_botocore_signs_it(
    body: bytes, token: str | None, target: str, now: datetime
) -> None:
    now = now.replace(tzinfo=UTC)
    host = f"sqs.{REGION}.amazonaws.com"
    ours = Signer("sqs", REGION, host).headers(
        target, body, ReadOnlyCredentials("AKID", "secret", token), now
    )
    request = AWSRequest("POST", f"https://{host}/", data=body)
    request.headers["Content-Type"] = "application/x-amz-json-1.0"
    request.headers["X-Amz-Target"] = target
    request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
    signer = SigV4Auth(Credentials("AKID", "secret", token), "sqs", REGION)
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert ours["authorization"].endswith(f"Signature={signature}")


class Answers(BaseHTTPRequestHandler):
    """Answers what the test put in, call by call, and keeps what was asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        server.asked.append((self.headers["x-amz-target"], body))
        status, answer = server.answers.pop(0)
        if status == 0:
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        server.answers, server.asked = [], []  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def client(server: Any, pauses: list[float] | None = None) -> SqsClient:
    endpoint = f"http://127.0.0.1:{server.server_port}"
    return SqsClient(endpoint, REGION, KEYS, sleep=(pauses if pauses is not None else []).append)


REFUSAL = b'{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"}'


def test_a_refusal_is_raised_as_boto3_raises_it(server: Any) -> None:
    server.answers = [(400, REFUSAL)]
    with pytest.raises(ClientError) as caught:
        client(server).get_queue_url(QueueName="none")
    assert caught.value.response["Error"]["Code"] == "QueueDoesNotExist"
    assert "no such queue" in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize("failure", [(503, b""), (429, b"{}"), (0, b"")])
def test_what_passes_is_tried_again(server: Any, failure: tuple[int, bytes]) -> None:
    pauses: list[float] = []
    server.answers = [failure, failure, (200, b'{"QueueUrl": "u"}')]
    assert client(server, pauses).get_queue_url(QueueName="q") == {"QueueUrl": "u"}
    assert pauses == [0.1, 0.4]


def test_what_does_not_pass_is_raised(server: Any) -> None:
    server.answers = [(503, b"")] * 3
    with pytest.raises(ClientError, match="503"):
        client(server).get_queue_url(QueueName="q")


def test_a_queue_that_cannot_be_reached_raises(server: Any) -> None:
    unreachable = SqsClient("http://127.0.0.1:1", REGION, KEYS, sleep=lambda pause_s: None)
    with pytest.raises(OSError, match="refused"):
        unreachable.get_queue_url(QueueName="q")


def test_it_works_off_the_queue_that_the_benchmark_measures_it_on() -> None:
    command = [sys.executable, "-m", "benchmarks.sqs_standin"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as standin:
        assert standin.stdout is not None
        port = standin.stdout.readline().split()[1]
        sqs = SqsClient(f"http://127.0.0.1:{port}", REGION, KEYS)
        url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
        for number in range(12):
            sqs._call("SendMessage", {"QueueUrl": url, "MessageBody": f"한글 {number}"})
        queue = SqsQueue(sqs, "messaging", "jobs", visibility_timeout_s=30)
        received = [*queue.receive(1, 10), *queue.receive(1, 10)]
        assert [message.body for message in received] == [f"한글 {n}" for n in range(12)]
        assert queue.hide(received, 0) == []
        again = [*queue.receive(1, 10), *queue.receive(1, 10)]
        assert {message.receive_count for message in again} == {2}
        assert queue.delete(again) == []
        assert queue.receive(0, 10) == []
        standin.kill()

"""A fast SQS for measuring its clients: one asyncio process, JSON protocol, in memory.

    python -m benchmarks.sqs_standin --port 9999

It checks no signature and keeps no attribute. A receive takes from the front of a list and a
delete forgets, so that next to nothing of a measurement is the server's.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

Fields = dict[str, Any]


class Queue:
    """Messages that wait, and those in flight by their receipts."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[str, str, int]] = deque()
        self.flying: dict[str, tuple[str, str, int]] = {}
        self.arrived = asyncio.Event()
        self.sent = self.deleted = 0

    def put(self, body: str) -> str:
        """Send one message; return its id."""
        self.sent += 1
        message_id = f"m-{self.sent}"
        self.waiting.append((message_id, body, 0))
        self.arrived.set()
        return message_id

    def take(self, limit: int) -> list[Fields]:
        """Receive up to `limit` messages."""
        found = []
        while self.waiting and len(found) < limit:
            message_id, body, receives = self.waiting.popleft()
            receipt = f"{message_id}#{receives + 1}"
            self.flying[receipt] = (message_id, body, receives + 1)
            found.append(_received(message_id, receipt, body, receives + 1))
        return found

    def delete(self, receipt: str) -> None:
        """Forget a message."""
        if self.flying.pop(receipt, None) is not None:
            self.deleted += 1

    def release(self, receipt: str) -> None:
        """Make a message visible again."""
        message = self.flying.pop(receipt, None)
        if message is not None:
            self.waiting.append(message)
            self.arrived.set()


def _received(message_id: str, receipt: str, body: str, receives: int) -> Fields:
    return {
        "MessageId": message_id,
        "ReceiptHandle": receipt,
        "MD5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "Body": body,
        "Attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": str(round(time.time() * 1000)),
        },
    }


class StandIn:
    """The operations that consumers and producers call."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._queues: dict[str, Queue] = {}

    async def call(self, operation: str, asked: Fields, gone: Callable[[], bool]) -> Fields:
        """Answer one call; `gone` says whether its caller hung up."""
        if operation == "ReceiveMessage":
            return await self._receive(asked, gone)
        return self._ANSWERS[operation](self, asked)

    async def _receive(self, asked: Fields, gone: Callable[[], bool]) -> Fields:
        queue, limit = self._queue(asked), asked.get("MaxNumberOfMessages", 1)
        found = queue.take(limit)
        if not found and asked.get("WaitTimeSeconds"):
            queue.arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(queue.arrived.wait(), asked["WaitTimeSeconds"])
            found = [] if gone() else queue.take(limit)
        return {"Messages": found} if found else {}

    def _queue(self, asked: Fields) -> Queue:
        name = asked.get("QueueName") or asked["QueueUrl"].rpartition("/")[2]
        return self._queues.setdefault(name, Queue())

    def _url(self, asked: Fields) -> Fields:
        self._queue(asked)
        return {"QueueUrl": f"{self._base}/000000000000/{asked['QueueName']}"}

    def _list(self, asked: Fields) -> Fields:
        names = [name for name in self._queues if name.startswith(asked.get("QueueNamePrefix", ""))]
        return {"QueueUrls": [f"{self._base}/000000000000/{name}" for name in names]}

    def _attributes(self, asked: Fields) -> Fields:
        queue = self._queue(asked)
        return {
            "Attributes": {
                "QueueArn": f"arn:aws:sqs:ap-northeast-2:0:{asked['QueueUrl'].rpartition('/')[2]}",
                "ApproximateNumberOfMessages": str(len(queue.waiting)),
                "ApproximateNumberOfMessagesNotVisible": str(len(queue.flying)),
                "ApproximateNumberOfMessagesDelayed": "0",
                "Deleted": str(queue.deleted),
            }
        }

    def _send(self, asked: Fields) -> Fields:
        return _sent(self._queue(asked).put(asked["MessageBody"]), asked["MessageBody"])

    def _send_batch(self, asked: Fields) -> Fields:
        queue = self._queue(asked)
        return {
            "Successful": [
                {"Id": entry["Id"], **_sent(queue.put(entry["MessageBody"]), entry["MessageBody"])}
                for entry in asked["Entries"]
            ]
        }

    def _delete(self, asked: Fields) -> Fields:
        self._queue(asked).delete(asked["ReceiptHandle"])
        return {}

    def _delete_batch(self, asked: Fields) -> Fields:
        queue = self._queue(asked)
        for entry in asked["Entries"]:
            queue.delete(entry["ReceiptHandle"])
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}

    def _hide(self, asked: Fields) -> Fields:
        if not asked["VisibilityTimeout"]:
            self._queue(asked).release(asked["ReceiptHandle"])
        return {}

    def _hide_batch(self, asked: Fields) -> Fields:
        for entry in asked["Entries"]:
            self._hide({"QueueUrl": asked["QueueUrl"], **entry})
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}

    _ANSWERS: ClassVar[dict[str, Callable[[StandIn, Fields], Fields]]] = {
        "CreateQueue": _url,
        "GetQueueUrl": _url,
        "ListQueues": _list,
        "GetQueueAttributes": _attributes,
        "SetQueueAttributes": lambda self, asked: {},
        "SendMessage": _send,
        "SendMessageBatch": _send_batch,
        "DeleteMessage": _delete,
        "DeleteMessageBatch": _delete_batch,
        "ChangeMessageVisibility": _hide,
        "ChangeMessageVisibilityBatch": _hide_batch,
    }


def _sent(message_id: str, body: str) -> Fields:
    digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
    return {"MessageId": message_id, "MD5OfMessageBody": digest}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, aws: StandIn) -> None:
    """Answer the requests of one connection, one after the other."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = dict(
                line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line
            )
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            target = next(
                line for line in head.split("\r\n") if line.lower().startswith("x-amz-target")
            )
            operation, asked = target.rpartition(".")[2].strip(), json.loads(body or b"{}")
            answer = await aws.call(operation, asked, reader.at_eof)
            text = json.dumps(answer).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(text), text)
            )
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(port: int) -> None:
    """Serve on loopback until the process ends; says `ready <port>` once it does."""
    aws: StandIn | None = None

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert aws is not None  # noqa: S101 - made before the first connection
        await serve(reader, writer, aws)

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    port = server.sockets[0].getsockname()[1]
    aws = StandIn(f"http://127.0.0.1:{port}")
    sys.stdout.write(f"ready {port}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(main(parser.parse_args().port))

"""SQS as boto3 sees it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.request import Request

from local.clients import Clients
from local.clock import ManualClock, SystemClock
from local.protocol import respond
from local.services.sqs.service import SqsService

#: Of the attributes below, computed with moto's implementation.
ATTRIBUTES_MD5 = "b0ea409beac27645ddd9c6307bd03db7"


class Sqs:
    """A service with its clock, and a boto3 client on it."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.service = SqsService(
            clock,
            account="123456789012",
            region="ap-northeast-2",
            base_url=lambda: "http://localhost:4566",
        )
        self.client = Clients(
            lambda environ, start: respond(self.service, Request(environ))(environ, start)
        ).client("sqs")

    def queue(self, name: str = "jobs", **attributes: str) -> str:
        return self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def receive(self, url: str, **options: Any) -> list[dict[str, Any]]:
        return self.client.receive_message(QueueUrl=url, **options).get("Messages", [])

    def arn(self, url: str) -> str:
        return self.attributes(url)["QueueArn"]

    def attributes(self, url: str) -> dict[str, str]:
        answer = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return answer["Attributes"]

    def counts(self, url: str) -> tuple[int, int, int]:
        values = self.attributes(url)
        suffixes = ("", "NotVisible", "Delayed")
        return tuple(int(values[f"ApproximateNumberOfMessages{s}"]) for s in suffixes)

    def with_dead_letters(self, receives: int, **attributes: str) -> tuple[str, str]:
        dlq = self.queue("jobs-dlq")
        policy = {"deadLetterTargetArn": self.arn(dlq), "maxReceiveCount": receives}
        return self.queue("jobs", RedrivePolicy=json.dumps(policy), **attributes), dlq


@pytest.fixture
def sqs() -> Sqs:
    return Sqs(ManualClock())


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_creating_a_queue_again_returns_it_unless_the_attributes_differ(sqs: Sqs) -> None:
    url = sqs.queue(VisibilityTimeout="60")
    assert sqs.queue(VisibilityTimeout="60") == url
    assert url == "http://localhost:4566/123456789012/jobs"
    with pytest.raises(sqs.client.exceptions.QueueNameExists, match="VisibilityTimeout"):
        sqs.queue(VisibilityTimeout="61")


def test_an_unknown_queue_is_reported_with_the_documented_code(sqs: Sqs) -> None:
    with pytest.raises(sqs.client.exceptions.QueueDoesNotExist) as error:
        sqs.client.get_queue_url(QueueName="nothing")
    assert code_of(error) == "AWS.SimpleQueueService.NonExistentQueue"


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"VisibilityTimeout": "43201"}, "InvalidAttributeValue"),
        ({"MessageRetentionPeriod": "59"}, "InvalidAttributeValue"),
        ({"MaximumMessageSize": "1048577"}, "InvalidAttributeValue"),
        ({"DelaySeconds": "x"}, "InvalidAttributeValue"),
        ({"Colour": "red"}, "InvalidAttributeName"),
        ({"FifoQueue": "true"}, "AWS.SimpleQueueService.UnsupportedOperation"),
        ({"RedrivePolicy": "{}"}, "InvalidAttributeValue"),
        (
            {"RedrivePolicy": '{"deadLetterTargetArn": "arn:aws:sqs:x", "maxReceiveCount": 3}'},
            "InvalidParameterValue",
        ),
    ],
)
def test_attributes_outside_their_range_are_refused(
    sqs: Sqs, attributes: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError) as error:
        sqs.queue(**attributes)
    assert code_of(error) == code
    assert sqs.client.list_queues().get("QueueUrls") is None


def test_fifo_queues_and_permissions_are_refused_loudly(sqs: Sqs) -> None:
    with pytest.raises(sqs.client.exceptions.UnsupportedOperation, match="FIFO"):
        sqs.queue("jobs.fifo")
    with pytest.raises(sqs.client.exceptions.UnsupportedOperation, match="AddPermission"):
        sqs.client.add_permission(
            QueueUrl=sqs.queue(), Label="x", AWSAccountIds=["1"], Actions=["SendMessage"]
        )


def test_a_message_comes_back_whole_with_its_checksums_and_counts(sqs: Sqs) -> None:
    url = sqs.queue()
    attributes = {
        "kind": {"DataType": "String", "StringValue": "video"},
        "size": {"DataType": "Number.int", "StringValue": "7"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.client.send_message(
        QueueUrl=url, MessageBody="강의", MessageAttributes=attributes, DelaySeconds=0
    )
    sqs.clock.advance(2)
    [message] = sqs.receive(url, AttributeNames=["All"], MessageAttributeNames=["All"])
    assert message["Body"] == "강의"
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"] == "93c8b86fe5bcc6aac514aac6d3c67199"
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"] == ATTRIBUTES_MD5
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert message["Attributes"]["SentTimestamp"] == "1750000000000"
    assert message["Attributes"]["ApproximateFirstReceiveTimestamp"] == "1750000002000"


def test_only_the_attributes_asked_for_are_returned(sqs: Sqs) -> None:
    url = sqs.queue(VisibilityTimeout="0")
    attributes = {n: {"DataType": "String", "StringValue": "x"} for n in ("a.one", "a.two", "b")}
    sqs.client.send_message(QueueUrl=url, MessageBody="m", MessageAttributes=attributes)
    [message] = sqs.receive(url)
    assert "Attributes" not in message
    assert "MessageAttributes" not in message
    [message] = sqs.receive(
        url, MessageSystemAttributeNames=["SentTimestamp"], MessageAttributeNames=["a.*"]
    )
    assert set(message["Attributes"]) == {"SentTimestamp"}
    assert set(message["MessageAttributes"]) == {"a.one", "a.two"}


def test_the_counts_tell_waiting_running_and_delayed_apart(sqs: Sqs) -> None:
    url = sqs.queue()
    for delay_s in (0, 0, 60):
        sqs.client.send_message(QueueUrl=url, MessageBody="m", DelaySeconds=delay_s)
    sqs.receive(url)
    assert sqs.counts(url) == (1, 1, 1)
    sqs.clock.advance(60)
    assert sqs.counts(url) == (3, 0, 0)


@pytest.mark.parametrize(("size", "fits"), [(1_048_576, True), (1_048_577, False)])
def test_a_message_may_have_one_mebibyte_and_no_byte_more(sqs: Sqs, size: int, fits: bool) -> None:
    url = sqs.queue()
    if fits:
        sqs.client.send_message(QueueUrl=url, MessageBody="x" * size)
    else:
        with pytest.raises(ClientError, match="must be shorter than 1048576 bytes") as error:
            sqs.client.send_message(QueueUrl=url, MessageBody="x" * size)
        assert code_of(error) == "InvalidParameterValue"
    assert sqs.counts(url)[0] == int(fits)


def test_a_batch_reports_each_entry_on_its_own(sqs: Sqs) -> None:
    url = sqs.queue(MaximumMessageSize="1024")
    answer = sqs.client.send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "good", "MessageBody": "m"},
            {"Id": "big", "MessageBody": "m" * 1025},
            {"Id": "ctrl", "MessageBody": "\x01"},
        ],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert {e["Id"]: e["Code"] for e in answer["Failed"]} == {
        "big": "InvalidParameterValue",
        "ctrl": "InvalidMessageContents",
    }


@pytest.mark.parametrize(
    ("ids", "size", "exception"),
    [
        ([], 1, "EmptyBatchRequest"),
        ([str(n) for n in range(11)], 1, "TooManyEntriesInBatchRequest"),
        (["a", "a"], 1, "BatchEntryIdsNotDistinct"),
        (["a b"], 1, "InvalidBatchEntryId"),
        (["a", "b"], 524_289, "BatchRequestTooLong"),
    ],
)
def test_a_batch_outside_the_limits_sends_nothing(
    sqs: Sqs, ids: list[str], size: int, exception: str
) -> None:
    url = sqs.queue()
    with pytest.raises(getattr(sqs.client.exceptions, exception)):
        sqs.client.send_message_batch(
            QueueUrl=url, Entries=[{"Id": i, "MessageBody": "m" * size} for i in ids]
        )
    assert sqs.counts(url) == (0, 0, 0)


def test_jobs_past_max_receives_land_in_the_dlq_and_remember_their_source(sqs: Sqs) -> None:
    url, dlq = sqs.with_dead_letters(2, VisibilityTimeout="10")
    sqs.client.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        assert len(sqs.receive(url)) == 1
        sqs.clock.advance(10)
    assert sqs.counts(url) == (1, 0, 0)
    assert sqs.receive(url) == []
    assert (sqs.counts(url), sqs.counts(dlq)) == ((0, 0, 0), (1, 0, 0))
    [message] = sqs.receive(dlq, AttributeNames=["All"])
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == sqs.arn(url)
    assert message["Attributes"]["SentTimestamp"] == "1750000000000"
    assert sqs.client.list_dead_letter_source_queues(QueueUrl=dlq)["queueUrls"] == [url]


def test_a_move_task_brings_dead_letters_back_as_new_messages(sqs: Sqs) -> None:
    url, dlq = sqs.with_dead_letters(1, VisibilityTimeout="0")
    for _ in range(3):
        sqs.client.send_message(QueueUrl=url, MessageBody="poison")
    sqs.receive(url, MaxNumberOfMessages=10)
    sqs.receive(url, MaxNumberOfMessages=10)
    assert sqs.counts(dlq)[0] == 3
    sqs.client.start_message_move_task(SourceArn=sqs.arn(dlq), MaxNumberOfMessagesPerSecond=2)
    sqs.service.tick(sqs.clock.now())
    assert sqs.counts(url)[0] == 2
    sqs.clock.advance(1)
    sqs.service.tick(sqs.clock.now())
    [task] = sqs.client.list_message_move_tasks(SourceArn=sqs.arn(dlq))["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
    [message] = sqs.receive(url, AttributeNames=["ApproximateReceiveCount"])
    assert message["Attributes"] == {"ApproximateReceiveCount": "1"}


def test_a_cancelled_move_task_moves_nothing_more(sqs: Sqs) -> None:
    url, dlq = sqs.with_dead_letters(1)
    for _ in range(3):
        sqs.client.send_message(QueueUrl=dlq, MessageBody="m")
    handle = sqs.client.start_message_move_task(
        SourceArn=sqs.arn(dlq), DestinationArn=sqs.arn(url), MaxNumberOfMessagesPerSecond=1
    )["TaskHandle"]
    with pytest.raises(sqs.client.exceptions.UnsupportedOperation):
        sqs.client.start_message_move_task(SourceArn=sqs.arn(dlq))
    sqs.service.tick(sqs.clock.now())
    answer = sqs.client.cancel_message_move_task(TaskHandle=handle)
    assert answer["ApproximateNumberOfMessagesMoved"] == 1
    sqs.service.tick(sqs.clock.now() + 60)
    assert (sqs.counts(url)[0], sqs.counts(dlq)[0]) == (1, 2)


def test_a_message_of_unknown_source_stays_and_fails_the_move_task(sqs: Sqs) -> None:
    _, dlq = sqs.with_dead_letters(1)
    sqs.client.send_message(QueueUrl=dlq, MessageBody="sent by hand")
    sqs.client.start_message_move_task(SourceArn=sqs.arn(dlq))
    sqs.service.tick(sqs.clock.now())
    [task] = sqs.client.list_message_move_tasks(SourceArn=sqs.arn(dlq))["Results"]
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert sqs.counts(dlq) == (1, 0, 0)


def test_visibility_can_be_changed_in_flight_only(sqs: Sqs) -> None:
    url = sqs.queue(VisibilityTimeout="10")
    sqs.client.send_message(QueueUrl=url, MessageBody="m")
    [message] = sqs.receive(url)
    change = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    sqs.client.change_message_visibility(**change, VisibilityTimeout=43_200)
    with pytest.raises(ClientError, match="beyond the limit"):
        sqs.clock.advance(1)
        sqs.client.change_message_visibility(**change, VisibilityTimeout=43_200)
    sqs.client.change_message_visibility(**change, VisibilityTimeout=0)
    with pytest.raises(ClientError, match="not available for visibility timeout change"):
        sqs.client.change_message_visibility(**change, VisibilityTimeout=5)
    with pytest.raises(sqs.client.exceptions.ReceiptHandleIsInvalid):
        sqs.client.delete_message(QueueUrl=url, ReceiptHandle="made up")


def test_purging_empties_and_a_second_purge_within_a_minute_is_refused(sqs: Sqs) -> None:
    url = sqs.queue()
    for _ in range(3):
        sqs.client.send_message(QueueUrl=url, MessageBody="m")
    sqs.receive(url)
    sqs.client.purge_queue(QueueUrl=url)
    assert sqs.counts(url) == (0, 0, 0)
    with pytest.raises(sqs.client.exceptions.PurgeQueueInProgress):
        sqs.client.purge_queue(QueueUrl=url)
    sqs.clock.advance(60)
    sqs.client.purge_queue(QueueUrl=url)


def test_changed_attributes_keep_the_messages_and_an_empty_policy_goes(sqs: Sqs) -> None:
    url, dlq = sqs.with_dead_letters(3)
    sqs.client.send_message(QueueUrl=url, MessageBody="m")
    sqs.client.set_queue_attributes(
        QueueUrl=url, Attributes={"RedrivePolicy": "", "VisibilityTimeout": "77"}
    )
    assert "RedrivePolicy" not in sqs.attributes(url)
    assert sqs.attributes(url)["VisibilityTimeout"] == "77"
    assert sqs.counts(url)[0] == 1
    assert not sqs.client.list_dead_letter_source_queues(QueueUrl=dlq)["queueUrls"]


def test_tags_are_added_listed_and_removed(sqs: Sqs) -> None:
    url = sqs.client.create_queue(QueueName="jobs", tags={"a": "1"})["QueueUrl"]
    sqs.client.tag_queue(QueueUrl=url, Tags={"b": "2"})
    sqs.client.untag_queue(QueueUrl=url, TagKeys=["a", "never there"])
    assert sqs.client.list_queue_tags(QueueUrl=url)["Tags"] == {"b": "2"}


def test_a_waiting_receiver_gets_a_message_sent_meanwhile() -> None:
    sqs = Sqs(SystemClock())
    url = sqs.queue()
    got: list[list[dict[str, Any]]] = []
    waiting = threading.Thread(target=lambda: got.append(sqs.receive(url, WaitTimeSeconds=20)))
    waiting.start()
    sqs.client.send_message(QueueUrl=url, MessageBody="m")
    waiting.join(timeout=10)
    assert [message["Body"] for message in got[0]] == ["m"]


def test_a_waiting_receiver_gives_up_when_its_time_is_over(sqs: Sqs) -> None:
    url = sqs.queue(ReceiveMessageWaitTimeSeconds="20")
    got: list[list[dict[str, Any]]] = []
    waiting = threading.Thread(target=lambda: got.append(sqs.receive(url)))
    waiting.start()
    waiting.join(timeout=0.1)
    assert waiting.is_alive()
    sqs.clock.advance(20)
    waiting.join(timeout=10)
    assert got == [[]]


def test_a_deleted_queue_ends_the_wait_of_its_receivers(sqs: Sqs) -> None:
    url = sqs.queue()
    failures: list[BaseException] = []

    def receive() -> None:
        try:
            sqs.receive(url, WaitTimeSeconds=20)
        except ClientError as error:
            failures.append(error)

    waiting = threading.Thread(target=receive)
    waiting.start()
    waiting.join(timeout=0.1)
    sqs.client.delete_queue(QueueUrl=url)
    waiting.join(timeout=10)
    assert "NonExistentQueue" in str(failures)


def test_gauges_count_what_producers_sent_not_what_died(sqs: Sqs) -> None:
    url, _ = sqs.with_dead_letters(1, VisibilityTimeout="0")
    sqs.client.send_message(QueueUrl=url, MessageBody="m")
    sqs.clock.advance(5)
    sqs.receive(url)
    sqs.receive(url)
    gauges = {gauge.name: gauge for gauge in sqs.service.gauges()}
    assert (gauges["jobs"].sent, gauges["jobs-dlq"].sent) == (1, 0)
    assert (gauges["jobs-dlq"].visible, gauges["jobs-dlq"].oldest_age_s) == (1, 5)

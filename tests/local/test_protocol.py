"""A service of ours over the wire: what comes in, what goes out, and how errors read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, HTTPClientError

from local.application import Application
from local.clients import Clients
from local.faults import Faults
from local.protocol import NotOurs, ServiceError


class Echo:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, name: str, answer: Any) -> None:
        self.name = name
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((operation, params))
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict(self.answer)


def client_of(service: Echo) -> Any:
    application = Application(Faults())
    application.add(service)
    return Clients(application).client(service.name)


def test_a_query_request_arrives_as_nested_parameters_and_times_come_back_as_times() -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    events = [{"EventId": "1", "StackId": "s", "StackName": "n", "Timestamp": now}]
    service = Echo("cloudformation", {"StackId": "arn", "StackEvents": events})
    client = client_of(service)
    client.create_stack(
        StackName="n",
        TemplateBody='{"a": "& < 한"}',
        Tags=[{"Key": "k", "Value": "v"}],
        DisableRollback=True,
    )
    assert service.asked == [
        (
            "CreateStack",
            {
                "StackName": "n",
                "TemplateBody": '{"a": "& < 한"}',
                "Tags": [{"Key": "k", "Value": "v"}],
                "DisableRollback": True,
            },
        )
    ]
    assert client.describe_stack_events(StackName="n")["StackEvents"][0]["Timestamp"] == now


def test_a_json_request_keeps_its_types() -> None:
    service = Echo("sqs", {"MessageId": "m", "MD5OfMessageBody": "x"})
    client_of(service).send_message(
        QueueUrl="http://localhost/1/q",
        MessageBody="b",
        DelaySeconds=3,
        MessageAttributes={"raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
    )
    operation, params = service.asked[0]
    assert operation == "SendMessage"
    assert params["DelaySeconds"] == 3
    assert params["MessageAttributes"]["raw"]["BinaryValue"] == b"\x00\xff"


def test_a_rest_request_brings_its_path_along() -> None:
    service = Echo("lambda", {"FunctionName": "f"})
    answer = client_of(service).get_function_configuration(FunctionName="f", Qualifier="1")
    assert service.asked == [("GetFunctionConfiguration", {"FunctionName": "f", "Qualifier": "1"})]
    assert answer["FunctionName"] == "f"


@pytest.mark.parametrize(
    ("name", "method", "arguments"),
    [
        ("cloudformation", "describe_stacks", {}),
        ("sqs", "list_queues", {}),
        ("lambda", "list_functions", {}),
    ],
)
def test_an_error_reads_the_same_in_every_protocol(
    name: str, method: str, arguments: dict[str, Any]
) -> None:
    service = Echo(name, ServiceError("Strange", "because <so>", 418))
    with pytest.warns(UserWarning, match="Strange"), pytest.raises(ClientError) as caught:
        getattr(client_of(service), method)(**arguments)
    response = caught.value.response
    assert response["Error"]["Code"] == "Strange"
    assert response["Error"]["Message"] == "because <so>"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 418


def test_an_error_of_the_model_has_the_models_exception_and_status() -> None:
    service = Echo("cloudformation", ServiceError("ChangeSetNotFound", "gone"))
    client = client_of(service)
    with pytest.raises(client.exceptions.ChangeSetNotFoundException) as caught:
        client.describe_change_set(ChangeSetName="c", StackName="s")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_what_a_service_hands_on_is_answered_by_moto() -> None:
    service = Echo("ssm", NotOurs())
    client = client_of(service)
    client.put_parameter(Name="/handed-on", Value="v", Type="String", Overwrite=True)
    assert client.get_parameter(Name="/handed-on")["Parameter"]["Value"] == "v"
    assert [operation for operation, _ in service.asked] == ["PutParameter", "GetParameter"]


def test_an_operation_that_we_do_not_have_is_named(aws: Any) -> None:
    with (
        pytest.warns(UserWarning, match="InvalidAction"),
        pytest.raises(ClientError, match="DetectStackDrift"),
    ):
        aws.clients.client("cloudformation").detect_stack_drift(StackName="s")


def test_a_service_that_nobody_plays_is_named(aws: Any) -> None:
    with pytest.raises(ClientError, match="no service 'gamelift'"):
        aws.clients.client("gamelift").list_fleets()


def test_the_clients_open_no_socket(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    aws.clients.client("sqs").create_queue(QueueName="q")
    aws.clients.client("s3").list_buckets()
    with pytest.raises(HTTPClientError, match="a socket was opened"):
        boto3.client(
            "sqs",
            region_name="ap-northeast-2",
            endpoint_url="http://localhost:1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        ).list_queues()

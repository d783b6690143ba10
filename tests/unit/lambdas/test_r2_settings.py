"""The R2 custom resource against an S3 endpoint and a real response URL, both on loopback."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from config.contracts.names import REGION
from lambdas.r2_bucket_settings import apply
from lambdas.r2_bucket_settings.handler import handler
from lambdas.r2_bucket_settings.request import RequestInvalid, parse

SECRET_KEY = "r2-secret-Wm42"
# As CloudFormation hands them over: every number is text.
LIFECYCLE = [
    {
        "ID": "expire-exports",
        "Status": "Enabled",
        "Filter": {"Prefix": "exports/"},
        "Expiration": {"Days": "1"},
    }
]
CORS = [
    {
        "AllowedMethods": ["GET", "PUT", "POST", "HEAD", "DELETE"],
        "AllowedOrigins": ["https://hakwonplus.com"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": "3600",
    }
]


class ResponseUrl:
    """Where CloudFormation waits: keeps what was PUT."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.content_types: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.answers.append(json.loads(body))
                outer.content_types.append(self.headers.get("Content-Type"))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/answer?signature=x"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def response_url() -> Iterator[ResponseUrl]:
    answering = ResponseUrl()
    yield answering
    answering.close()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    requests.post(f"{url}/moto-api/reset", timeout=10)
    boto3.client("s3").create_bucket(
        Bucket="academy-excel", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    yield url
    server.stop()


def event(kind: str, endpoint: str, response: ResponseUrl, **properties: Any) -> dict[str, Any]:
    secrets = boto3.client("secretsmanager")
    secret = json.dumps({"access_key_id": "id", "secret_access_key": SECRET_KEY})
    try:
        arn = secrets.create_secret(Name="academy/r2", SecretString=secret)["ARN"]
    except secrets.exceptions.ResourceExistsException:
        arn = secrets.describe_secret(SecretId="academy/r2")["ARN"]
    return {
        "RequestType": kind,
        "ResponseURL": response.url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Excel",
        "ResourceProperties": {
            "Bucket": "academy-excel",
            "LifecycleRules": LIFECYCLE,
            "CorsRules": CORS,
            "Endpoint": endpoint,
            "CredentialsSecretArn": arn,
            **properties,
        },
    }


def stored() -> tuple[Any, Any]:
    s3 = boto3.client("s3")
    found: list[Any] = []
    for read, key in (
        (s3.get_bucket_lifecycle_configuration, "Rules"),
        (s3.get_bucket_cors, "CORSRules"),
    ):
        try:
            found.append(read(Bucket="academy-excel")[key])
        except ClientError as error:
            assert error.response["Error"]["Code"].startswith("NoSuch")
            found.append(None)
    return found[0], found[1]


def test_create_applies_lifecycle_and_cors_and_answers(
    endpoint: str, response_url: ResponseUrl
) -> None:
    handler(event("Create", endpoint, response_url), None)

    lifecycle, cors = stored()
    assert lifecycle[0]["Expiration"] == {"Days": 1}
    assert lifecycle[0]["Filter"] == {"Prefix": "exports/"}
    assert cors[0]["MaxAgeSeconds"] == 3600
    assert cors[0]["AllowedMethods"] == CORS[0]["AllowedMethods"]
    assert response_url.answers == [
        {
            "Status": "SUCCESS",
            "Reason": "applied",
            "PhysicalResourceId": "academy-excel",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Excel",
        }
    ]
    assert response_url.content_types == [""]


def test_the_same_request_twice_leaves_the_same_settings(
    endpoint: str, response_url: ResponseUrl
) -> None:
    handler(event("Create", endpoint, response_url), None)
    first = stored()
    handler(event("Update", endpoint, response_url), None)
    assert stored() == first
    assert [answer["Status"] for answer in response_url.answers] == ["SUCCESS", "SUCCESS"]


def test_an_update_without_rules_removes_them(endpoint: str, response_url: ResponseUrl) -> None:
    handler(event("Create", endpoint, response_url), None)
    handler(event("Update", endpoint, response_url, LifecycleRules=[], CorsRules=[]), None)
    assert stored() == (None, None)


def test_delete_leaves_the_settings(endpoint: str, response_url: ResponseUrl) -> None:
    handler(event("Create", endpoint, response_url), None)
    before = stored()
    request = event("Delete", endpoint, response_url, Endpoint="http://127.0.0.1:9")
    handler({**request, "PhysicalResourceId": "academy-excel"}, None)
    assert stored() == before
    assert response_url.answers[-1]["Status"] == "SUCCESS"
    assert response_url.answers[-1]["PhysicalResourceId"] == "academy-excel"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Bucket": "no-such-bucket"}, "NoSuchBucket"),
        ({"Bucket": ""}, "Bucket must be"),
        ({"Endpoint": "file:///etc"}, "Endpoint must be"),
        ({"CorsRules": "none"}, "CorsRules must be"),
        ({"LifecycleRules": [{"Expiration": {"Days": "soon"}}]}, "LifecycleRules.Expiration.Days"),
        ({"CredentialsSecretArn": "arn:aws:secretsmanager:::secret:none"}, "ResourceNotFound"),
    ],
)
def test_a_failure_is_answered_with_its_reason(
    endpoint: str, response_url: ResponseUrl, properties: dict[str, Any], reason: str
) -> None:
    handler(event("Create", endpoint, response_url, **properties), None)
    (answer,) = response_url.answers
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]
    assert answer["PhysicalResourceId"]


def test_an_unknown_request_type_fails(endpoint: str, response_url: ResponseUrl) -> None:
    handler(event("Rename", endpoint, response_url), None)
    assert "Create, Update, Delete" in response_url.answers[0]["Reason"]


def test_the_secret_is_in_no_log_line_and_no_answer(
    endpoint: str, response_url: ResponseUrl, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="lambdas")
    handler(event("Create", endpoint, response_url), None)
    handler(event("Create", endpoint, response_url, Bucket="no-such-bucket"), None)
    assert caplog.messages
    assert SECRET_KEY not in caplog.text
    assert SECRET_KEY not in json.dumps(response_url.answers)


@pytest.mark.parametrize("secret", ["not json", "[]", '{"access_key_id": "Wm42"}'])
def test_a_wrong_secret_is_described_without_its_content(secret: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        apply.credentials(secret)
    assert "secret_access_key" in str(caught.value)
    assert "Wm42" not in str(caught.value)


@given(st.integers(min_value=0, max_value=10_000))
def test_numbers_survive_the_trip_through_text(days: int) -> None:
    properties = {
        "Bucket": "b",
        "Endpoint": "https://host",
        "CredentialsSecretArn": "arn",
        "LifecycleRules": [{"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": str(days)}}],
    }
    (rule,) = parse(properties).lifecycle_rules
    assert rule == {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days}}

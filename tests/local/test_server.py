"""The embedded AWS over real HTTP on loopback: S3 as browsers use it, faults, kept connections."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.clock import SystemClock
from local.server import EmbeddedAws, build

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def served() -> Iterator[EmbeddedAws]:
    aws = build(port=free_port(), clock=SystemClock())
    aws.start()
    yield aws
    aws.stop()


@pytest.fixture
def bucket(served: EmbeddedAws) -> str:
    s3 = served.clients.client("s3")
    name = f"videos-{len(s3.list_buckets()['Buckets'])}"
    s3.create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"}
    )
    return name


def client(served: EmbeddedAws, service: str, **config: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=served.endpoint,
        region_name="ap-northeast-2",
        config=Config(retries={"total_max_attempts": 1}, **config),
        **KEYS,
    )


def ask(
    served: EmbeddedAws, method: str, target: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Send one HTTP request; header names come with underscores.

    A header that came twice has both values, joined by a comma as a browser joins them.
    """
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(served.endpoint).port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body, named)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    keys = {key.lower() for key in answer.headers}
    return answer.status, {key: ", ".join(answer.headers.get_all(key)) for key in keys}, content


def target_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_it_listens_on_loopback_alone(served: EmbeddedAws) -> None:
    assert served._server is not None
    assert served._server.server_address[0] == "127.0.0.1"


def test_health_lists_our_services(served: EmbeddedAws) -> None:
    status, _, body = ask(served, "GET", "/_local/health")
    assert status == 200
    assert {"cloudformation", "sqs", "autoscaling"} <= set(json.loads(body)["services"])


def test_one_connection_serves_many_requests(served: EmbeddedAws) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(served.endpoint).port, timeout=20)
    used = set()
    for _ in range(3):
        connection.request("POST", "/_local/health", body=b"x" * 100_000)
        assert connection.getresponse().read()
        assert connection.sock is not None
        used.add(connection.sock.getsockname())
    connection.close()
    assert len(used) == 1


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_signed_urls_upload_and_download(served: EmbeddedAws, bucket: str, signature: str) -> None:
    s3 = client(served, "s3", signature_version=signature)
    name = {"Bucket": bucket, "Key": "a b/한.mp4"}
    put = s3.generate_presigned_url("put_object", Params=name, ExpiresIn=900)
    get = s3.generate_presigned_url("get_object", Params=name, ExpiresIn=900)
    host = urlsplit(put).netloc
    assert ask(served, "PUT", target_of(put), b"0123456789", Host=host)[0] == 200
    status, _, body = ask(served, "GET", target_of(get), Host=host)
    assert (status, body) == (200, b"0123456789")


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_both_addressing_styles_reach_the_same_object(
    served: EmbeddedAws, bucket: str, style: str
) -> None:
    s3 = client(served, "s3", s3={"addressing_style": style}, signature_version="s3v4")
    served.clients.client("s3").put_object(Bucket=bucket, Key="k/x", Body=b"found")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k/x"})
    host = urlsplit(url).netloc
    assert host.startswith(f"{bucket}.") == (style == "virtual")
    assert ask(served, "GET", target_of(url), Host=host)[2] == b"found"


def test_the_real_hosts_name_reaches_the_object(served: EmbeddedAws, bucket: str) -> None:
    s3 = served.clients.client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"found", ACL="public-read")
    host = f"{bucket}.s3.ap-northeast-2.amazonaws.com"
    assert ask(served, "GET", "/k", Host=host)[2] == b"found"


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_an_expired_url_is_refused(served: EmbeddedAws, bucket: str, signature: str) -> None:
    s3 = client(served, "s3", signature_version=signature)
    name = {"Bucket": bucket, "Key": "k"}
    url = s3.generate_presigned_url("put_object", Params=name, ExpiresIn=-1)
    status, _, body = ask(served, "PUT", target_of(url), b"late", Host=urlsplit(url).netloc)
    assert status == 403
    assert b"Request has expired" in body
    assert served.clients.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_range_is_partial_content(served: EmbeddedAws, bucket: str) -> None:
    s3 = client(served, "s3", signature_version="s3v4")
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    status, headers, body = ask(
        served, "GET", target_of(url), Host=urlsplit(url).netloc, Range="bytes=2-4"
    )
    assert (status, body) == (206, b"234")
    assert headers["content-range"] == "bytes 2-4/10"


CORS = {
    "AllowedOrigins": ["https://*.example.com"],
    "AllowedMethods": ["PUT", "GET"],
    "AllowedHeaders": ["content-*"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": 3600,
}


@pytest.fixture
def shared(served: EmbeddedAws, bucket: str) -> str:
    rules = {"CORSRules": [CORS]}
    served.clients.client("s3").put_bucket_cors(Bucket=bucket, CORSConfiguration=rules)
    return bucket


def preflight(served: EmbeddedAws, bucket: str, **headers: str) -> tuple[int, dict[str, str]]:
    asked = {
        "Origin": "https://app.example.com",
        "Access_Control_Request_Method": "PUT",
        "Access_Control_Request_Headers": "content-type",
        **headers,
    }
    return ask(served, "OPTIONS", f"/{bucket}/k", **asked)[:2]


def test_a_preflight_is_answered_by_the_buckets_rule(served: EmbeddedAws, shared: str) -> None:
    status, headers = preflight(served, shared)
    assert status == 200
    assert headers["access-control-allow-origin"] == "https://app.example.com"
    assert headers["access-control-allow-methods"] == "PUT, GET"
    assert headers["access-control-allow-headers"] == "content-type"
    assert headers["access-control-max-age"] == "3600"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.org"},
        {"Access_Control_Request_Method": "DELETE"},
        {"Access_Control_Request_Headers": "x-odd"},
    ],
)
def test_a_preflight_outside_of_the_rule_is_refused(
    served: EmbeddedAws, shared: str, headers: dict[str, str]
) -> None:
    status, answered = preflight(served, shared, **headers)
    assert status == 403
    assert "access-control-allow-origin" not in answered


def test_a_bucket_without_a_rule_lets_no_origin_in(served: EmbeddedAws, bucket: str) -> None:
    status, _ = preflight(served, bucket)
    assert status == 403
    served.clients.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    _, headers, _ = ask(served, "GET", f"/{bucket}/k", Origin="https://app.example.com")
    assert "access-control-allow-origin" not in headers


def test_an_answer_to_an_allowed_origin_exposes_its_headers(
    served: EmbeddedAws, shared: str
) -> None:
    served.clients.client("s3").put_object(Bucket=shared, Key="k", Body=b"x", ACL="public-read")
    _, headers, _ = ask(served, "GET", f"/{shared}/k", Origin="https://app.example.com")
    assert headers["access-control-allow-origin"] == "https://app.example.com"
    assert headers["access-control-expose-headers"] == "ETag"


def test_a_service_that_is_down_refuses_until_it_is_up(served: EmbeddedAws) -> None:
    sqs, s3 = client(served, "sqs"), client(served, "s3")

    def put(down: bool) -> int:
        body = json.dumps({"service": "sqs", "down": down}).encode()
        return ask(served, "POST", "/_local/faults", body)[0]

    assert put(True) == 200
    with pytest.raises(ClientError) as caught:
        sqs.list_queues()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    s3.list_buckets()
    put(False)
    sqs.list_queues()


@pytest.mark.parametrize("body", [b'{"service": "sqs"}', b"[]", b'{"down": "yes"}'])
def test_a_fault_that_says_nothing_is_refused(served: EmbeddedAws, body: bytes) -> None:
    assert ask(served, "POST", "/_local/faults", body)[0] == 400
    assert json.loads(ask(served, "GET", "/_local/faults")[2]) == {"down": []}


def test_an_upload_without_a_length_arrives_whole(served: EmbeddedAws, bucket: str) -> None:
    s3 = client(served, "s3", signature_version="s3v4")
    name = {"Bucket": bucket, "Key": "chunked"}
    url = s3.generate_presigned_url("put_object", Params=name)
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=20)
    chunks = (bytes([65 + i]) * 70_000 for i in range(3))
    connection.request(
        "PUT", target_of(url), chunks, {"Host": urlsplit(url).netloc}, encode_chunked=True
    )
    assert connection.getresponse().status == 200
    connection.close()
    stored = served.clients.client("s3").get_object(Bucket=bucket, Key="chunked")["Body"].read()
    assert stored == b"A" * 70_000 + b"B" * 70_000 + b"C" * 70_000


def test_nothing_is_at_an_unknown_local_path(served: EmbeddedAws) -> None:
    assert ask(served, "GET", "/_local/nowhere")[0] == 404

"""The adapters against moto: queue, bucket, group, parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.awsrequest import AWSResponse
from moto import mock_aws
from moto.core.botocore_stubber import MockRawResponse

from worker_images.base.queue import SqsQueue
from worker_images.base.render_env import Stored, main
from worker_images.base.settings import StorageSettings
from worker_images.base.storage import BucketStorage, ObjectNotFoundError, open_storage

REGION = "ap-northeast-2"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def storage() -> BucketStorage:
    boto3.client("s3").create_bucket(
        Bucket="academy-video", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return open_storage(StorageSettings("s3", REGION, "academy-video"), "academy-video")


def put(storage: BucketStorage, folder: Path, key: str, data: bytes = b"0123456789") -> None:
    path = folder / "file"
    path.write_bytes(data)
    storage.put_file(key, path, content_type="video/mp4", cache_control="no-cache")


def test_an_object_keeps_its_headers_and_is_read_in_ranges(
    storage: BucketStorage, tmp_path: Path
) -> None:
    put(storage, tmp_path, "a/b.mp4")
    head = storage.head("a/b.mp4")
    assert head is not None
    assert (head.size_bytes, head.content_type) == (10, "video/mp4")
    answer = boto3.client("s3").get_object(Bucket="academy-video", Key="a/b.mp4")
    assert answer["CacheControl"] == "no-cache"
    assert storage.get("a/b.mp4", start=2, end=5) == b"234"
    assert storage.get("a/b.mp4", start=7) == b"789"
    storage.get_file("a/b.mp4", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"0123456789"


def test_what_is_not_there_is_told_apart_from_a_failure(
    storage: BucketStorage, tmp_path: Path
) -> None:
    assert storage.head("none") is None
    with pytest.raises(ObjectNotFoundError):
        storage.get("none")
    with pytest.raises(ObjectNotFoundError):
        storage.get_file("none", tmp_path / "copy")
    storage.delete("none")


def test_a_prefix_is_deleted_exactly_however_many_objects_it_holds(
    storage: BucketStorage,
) -> None:
    client = boto3.client("s3")
    for number in range(1001):
        client.put_object(Bucket="academy-video", Key=f"video/1/{number}")
    for key in ("video/10/x", "video/1"):
        client.put_object(Bucket="academy-video", Key=key)
    for refused in ("video/1", "", "/"):
        with pytest.raises(ValueError, match="must end with '/'"):
            storage.delete_prefix(refused)
    assert storage.delete_prefix("video/1/") == 1001
    assert list(storage.list_keys("video/")) == ["video/1", "video/10/x"]


def test_presigned_urls_read_and_write_without_credentials(storage: BucketStorage) -> None:
    url = storage.presign_put("up.mp4", content_type="video/mp4", expires_s=900)
    assert "X-Amz-Expires=900" in url
    sent = requests.put(url, data=b"video", headers={"Content-Type": "video/mp4"}, timeout=10)
    assert sent.status_code == 200
    read = requests.get(storage.presign_get("up.mp4", expires_s=60), timeout=10)
    assert read.content == b"video"


def test_a_presigned_url_names_the_regions_host_or_that_of_the_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = StorageSettings("s3", REGION, "academy-video")
    url = open_storage(settings, "academy-video").presign_get("a.mp4", expires_s=60)
    assert url.startswith(f"https://academy-video.s3.{REGION}.amazonaws.com/a.mp4?")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    url = open_storage(settings, "academy-video").presign_get("a.mp4", expires_s=60)
    assert url.startswith("http://localhost:4566/academy-video/a.mp4?")


def test_tags_are_set_on_s3_and_known_to_be_absent_on_r2(
    storage: BucketStorage, tmp_path: Path
) -> None:
    put(storage, tmp_path, "raw.mp4")
    assert storage.tag("raw.mp4", {"lifecycle": "expire-original"})
    tags = boto3.client("s3").get_object_tagging(Bucket="academy-video", Key="raw.mp4")["TagSet"]
    assert tags == [{"Key": "lifecycle", "Value": "expire-original"}]
    settings = StorageSettings("r2", REGION, "academy-video", "https://r2.example", "ak", "sk")
    r2 = open_storage(settings, "academy-video")
    assert not r2.tag("raw.mp4", {"lifecycle": "expire-original"})
    assert r2.presign_get("raw.mp4", expires_s=60).startswith("https://r2.example/academy-video/")


def test_an_upload_to_r2_carries_no_checksum_trailer(tmp_path: Path) -> None:
    settings = StorageSettings("r2", REGION, "academy-video", "https://r2.example", "ak", "sk")
    r2 = open_storage(settings, "academy-video")
    sent: list[dict[str, str]] = []

    def answer(request: Any, **_: object) -> AWSResponse:
        sent.append({name.lower(): str(value) for name, value in request.headers.items()})
        return AWSResponse(request.url, 200, {}, MockRawResponse(b""))

    r2._client.meta.events.register_first("before-send.s3", answer)
    put(r2, tmp_path, "a/b.mp4")
    (headers,) = sent
    assert "aws-chunked" not in headers.get("content-encoding", "")
    assert [name for name in headers if "checksum" in name or "trailer" in name] == []


def test_a_message_is_received_hidden_and_deleted() -> None:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName="academy-video-jobs")["QueueUrl"]
    queue = SqsQueue(client, "video", "academy-video-jobs", visibility_timeout_s=30)
    assert queue.receive(0) == []
    client.send_message(QueueUrl=url, MessageBody="hello")
    (first,) = queue.receive(0)
    assert (first.body, first.receive_count, first.queue) == ("hello", 1, "video")
    assert first.sent_at > 1_000_000_000
    assert queue.receive(0) == []
    queue.hide([first], 0)
    (second,) = queue.receive(0)
    assert second.receive_count == 2
    queue.delete([second])
    assert left(client, url) == {"0"}


def left(client: Any, url: str) -> set[str]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return set(
        client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()
    )


def test_many_messages_are_hidden_and_deleted_in_batches_and_the_refused_are_named() -> None:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName="academy-messaging-jobs")["QueueUrl"]
    queue = SqsQueue(client, "messaging", "academy-messaging-jobs", visibility_timeout_s=30)
    for number in range(12):
        client.send_message(QueueUrl=url, MessageBody=str(number))
    received = [message for _ in range(4) for message in queue.receive(0, 10)]
    assert len(received) == 12
    assert queue.hide(received, 0) == []
    received = [message for _ in range(4) for message in queue.receive(0, 10)]
    gone = replace(received[3], receipt="no such receipt")
    assert queue.delete([*received[:3], gone, *received[4:]]) == [gone]
    assert queue.delete([received[3]]) == []
    assert left(client, url) == {"0"}


def test_the_command_renders_every_page_of_parameters_and_resolves_secrets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from config.contracts.environment import WORKERS
    from config.contracts.parameters import secret_reference

    ssm, secrets = boto3.client("ssm"), boto3.client("secretsmanager")
    arn = secrets.create_secret(Name="db", SecretString='{"password": "s3cret"}')["ARN"]
    for key in WORKERS:
        value = secret_reference(arn, "password") if key == "DB_PASSWORD" else f"v-{key}"
        ssm.put_parameter(Name=f"/academy/workers/env/{key}", Value=value, Type="String")
    assert len(Stored(ssm, secrets, ["/academy/workers/env"]).parameters()) == len(WORKERS) > 10
    assert main(["--role", "workers", "--path", "/academy/workers/env"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "DB_PASSWORD=s3cret" in lines
    assert lines == sorted(lines)
    ssm.delete_parameter(Name="/academy/workers/env/DB_HOST")
    assert main(["--role", "workers", "--path", "/academy/workers/env"]) == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert "DB_HOST" in written.err
    assert "s3cret" not in written.err

"""Objects in a bucket: the port, and one adapter for S3 and Cloudflare R2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from worker_images.base.settings import StorageSettings

_DELETE_BATCH = 1000
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_PATIENT = Config(retries={"mode": "standard", "max_attempts": 5})
#: boto3 presigns for S3's global host otherwise, which redirects browsers away from a new bucket,
#: and CORS forbids that: https://github.com/boto/boto3/issues/421
_AWS_CONFIG = Config(s3={"addressing_style": "virtual"})
#: R2 refuses the checksum trailer that boto3 appends to uploads since 1.36:
#: https://github.com/amd/gaia/pull/3029
_R2_CONFIG = Config(
    request_checksum_calculation="when_required", response_checksum_validation="when_required"
)


class ObjectNotFoundError(LookupError):
    """The bucket holds no object of that key."""


@dataclass(frozen=True)
class ObjectFacts:
    """What a HEAD tells."""

    size_bytes: int
    content_type: str
    etag: str


class Storage(Protocol):
    """What workers and the API need of a bucket."""

    def put_file(self, key: str, path: Path, *, content_type: str, cache_control: str) -> None:
        """Upload a file; an object of that key is replaced."""
        ...

    def get_file(self, key: str, path: Path) -> None:
        """Download into `path`. Raises: ObjectNotFoundError."""
        ...

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes from `start` to `end`, exclusive. Raises: ObjectNotFoundError."""
        ...

    def head(self, key: str) -> ObjectFacts | None:
        """Return what is known of an object, None when there is none."""
        ...

    def list_keys(self, prefix: str) -> Iterator[str]:
        """Yield every key below a prefix."""
        ...

    def delete(self, key: str) -> None:
        """Delete one object; one that is gone already is fine."""
        ...

    def delete_prefix(self, prefix: str) -> int:
        """Delete everything below `prefix`, return how many. Raises: ValueError without a `/`."""
        ...

    def presign_get(self, key: str, *, expires_s: int) -> str:
        """Return a URL that reads the object without credentials for `expires_s` seconds."""
        ...

    def presign_put(self, key: str, *, content_type: str, expires_s: int) -> str:
        """Return a URL that writes the object, with that Content-Type, for `expires_s` seconds."""
        ...

    def tag(self, key: str, tags: dict[str, str]) -> bool:
        """Replace an object's tags; False where the store knows none (R2)."""
        ...


class BucketStorage:
    """`Storage` over an S3 client. R2 speaks the same API, object tags excepted.

    https://developers.cloudflare.com/r2/api/s3/api/ lists what R2 implements.
    """

    def __init__(self, client: Any, bucket: str, *, has_tags: bool) -> None:
        self._client = client
        self._bucket = bucket
        self._has_tags = has_tags

    def put_file(self, key: str, path: Path, *, content_type: str, cache_control: str) -> None:
        extra = {"ContentType": content_type, "CacheControl": cache_control}
        self._client.upload_file(str(path), self._bucket, key, ExtraArgs=extra)

    def get_file(self, key: str, path: Path) -> None:
        try:
            self._client.download_file(self._bucket, key, str(path))
        except ClientError as error:
            raise _translated(error, key) from error

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        last = "" if end is None else str(end - 1)
        whole = start == 0 and end is None
        extra = {} if whole else {"Range": f"bytes={start}-{last}"}
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, **extra)
        except ClientError as error:
            raise _translated(error, key) from error
        body: bytes = answer["Body"].read()
        return body

    def head(self, key: str) -> ObjectFacts | None:
        try:
            answer = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _is_absent(error):
                return None
            raise
        return ObjectFacts(
            size_bytes=answer["ContentLength"],
            content_type=answer.get("ContentType", ""),
            etag=answer["ETag"].strip('"'),
        )

    def list_keys(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield found["Key"]

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def delete_prefix(self, prefix: str) -> int:
        check_prefix(prefix)
        keys = list(self.list_keys(prefix))
        for first in range(0, len(keys), _DELETE_BATCH):
            batch = [{"Key": key} for key in keys[first : first + _DELETE_BATCH]]
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True}
            )
            if answer.get("Errors"):
                raise OSError(f"objects below {prefix} not deleted: {answer['Errors'][:3]}")
        return len(keys)

    def presign_get(self, key: str, *, expires_s: int) -> str:
        return self._presign("get_object", {"Key": key}, expires_s)

    def presign_put(self, key: str, *, content_type: str, expires_s: int) -> str:
        return self._presign("put_object", {"Key": key, "ContentType": content_type}, expires_s)

    def tag(self, key: str, tags: dict[str, str]) -> bool:
        if not self._has_tags:
            return False
        pairs = [{"Key": name, "Value": value} for name, value in tags.items()]
        self._client.put_object_tagging(Bucket=self._bucket, Key=key, Tagging={"TagSet": pairs})
        return True

    def _presign(self, operation: str, parameters: dict[str, str], expires_s: int) -> str:
        url: str = self._client.generate_presigned_url(
            operation, Params={"Bucket": self._bucket, **parameters}, ExpiresIn=expires_s
        )
        return url


def open_storage(
    settings: StorageSettings, bucket: str, patience: Config = _PATIENT
) -> BucketStorage:
    """Return the storage of one bucket: S3 with the role's credentials, R2 with its own keys.

    `patience` says how long and how often a call is tried; the default suits a worker.
    """
    config = Config(signature_version="s3v4").merge(patience)
    if settings.provider == "s3":
        client = boto3.client("s3", region_name=settings.region, config=config)
        if client.meta.endpoint_url.endswith(".amazonaws.com"):
            client = boto3.client(
                "s3", region_name=settings.region, config=config.merge(_AWS_CONFIG)
            )
        return BucketStorage(client, bucket, has_tags=True)
    client = boto3.client(
        "s3",
        region_name="auto",
        endpoint_url=settings.r2_endpoint,
        aws_access_key_id=settings.r2_access_key,
        aws_secret_access_key=settings.r2_secret_key,
        config=config.merge(_R2_CONFIG),
    )
    return BucketStorage(client, bucket, has_tags=False)


def check_prefix(prefix: str) -> None:
    """Refuse a prefix that would also match its neighbours (`video/1` deletes `video/10`)."""
    if len(prefix) < 2 or not prefix.endswith("/"):
        raise ValueError(f"prefix {prefix!r} must end with '/' and name a folder")


def _is_absent(error: ClientError) -> bool:
    return str(error.response.get("Error", {}).get("Code")) in _ABSENT


def _translated(error: ClientError, key: str) -> Exception:
    return ObjectNotFoundError(key) if _is_absent(error) else error

"""An S3 server in a process of its own, whose CPU is nobody's."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.config import Config

from worker_images.base.storage import BucketStorage

BUCKET = "academy-video"


@contextmanager
def s3_storage() -> Iterator[BucketStorage]:
    """Serve an empty bucket until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as server:  # type: ignore[call-overload]
        try:
            yield _bucket(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def _bucket(address: str) -> BucketStorage:
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{address}/moto-api/", timeout=1).read()  # noqa: S310 - http
            break
        except OSError:
            time.sleep(0.1)
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=address,
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106 - the server takes anything
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket=BUCKET)
    return BucketStorage(client, BUCKET, has_tags=True)

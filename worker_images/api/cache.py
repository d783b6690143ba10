"""Django's Redis cache on a Redis cluster, which Django alone does not speak to."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.cluster import RedisCluster


class ClusterClient(RedisCacheClient):
    """One client of the cluster a process; it knows the shards and keeps a pool for each."""

    @cached_property
    def _cluster(self) -> RedisCluster:
        # A cluster's nodes have pools of their own, whose parser is redis-py's to choose.
        options = {k: v for k, v in self._pool_options.items() if k != "parser_class"}
        return RedisCluster.from_url(self._servers[0], **options)

    def get_client(self, key: Any = None, *, write: bool = False) -> RedisCluster:
        return self._cluster


class ClusterCache(RedisCache):
    """`RedisCache` whose LOCATION is any node, or the configuration endpoint, of a cluster."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = ClusterClient

"""The operations of ElastiCache that the templates and their readers use."""

from __future__ import annotations

import threading
from typing import Any

from local.hosts import Caches
from local.protocol import ServiceError, unknown_operation
from local.services.elasticache import views
from local.services.elasticache.parameters import ParameterGroups
from local.services.elasticache.tags import Tags, named, some

_MODIFIABLE = frozenset(
    {
        "AutoMinorVersionUpgrade",
        "AutomaticFailoverEnabled",
        "CacheNodeType",
        "CacheParameterGroupName",
        "Engine",
        "EngineVersion",
        "MultiAZEnabled",
        "PreferredMaintenanceWindow",
        "ReplicationGroupDescription",
        "SecurityGroupIds",
        "SnapshotRetentionLimit",
        "SnapshotWindow",
    }
)
_CREATABLE = _MODIFIABLE | {
    "AtRestEncryptionEnabled",
    "CacheSubnetGroupName",
    "KmsKeyId",
    "NumCacheClusters",
    "Port",
    "PreferredCacheClusterAZs",
    "ReplicationGroupId",
    "Tags",
    "TransitEncryptionEnabled",
    "TransitEncryptionMode",
}


class ElastiCache:
    """Replication groups, subnet groups and parameter groups; one lock around every operation."""

    name = "elasticache"

    def __init__(self, *, account: str, region: str, caches: Caches) -> None:
        self._arn = f"arn:aws:elasticache:{region}:{account}"
        self._caches = caches
        self._groups: dict[str, dict[str, Any]] = {}
        self._subnets: dict[str, dict[str, Any]] = {}
        self._tags = Tags()
        parameters = ParameterGroups(self._arn, self._tags)
        self._lock = threading.RLock()
        self._operations = {
            "CreateReplicationGroup": self._create_group,
            "ModifyReplicationGroup": self._modify_group,
            "DeleteReplicationGroup": self._delete_group,
            "DescribeReplicationGroups": self._describe_groups,
            "DescribeCacheClusters": self._describe_clusters,
            "CreateCacheSubnetGroup": self._create_subnets,
            "ModifyCacheSubnetGroup": self._modify_subnets,
            "DeleteCacheSubnetGroup": self._delete_subnets,
            "DescribeCacheSubnetGroups": self._describe_subnets,
            "CreateCacheParameterGroup": parameters.create,
            "ModifyCacheParameterGroup": parameters.modify,
            "ResetCacheParameterGroup": parameters.reset,
            "DeleteCacheParameterGroup": parameters.delete,
            "DescribeCacheParameterGroups": parameters.describe,
            "DescribeCacheParameters": parameters.describe_values,
            "AddTagsToResource": self._tags.add,
            "RemoveTagsFromResource": self._tags.remove,
            "ListTagsForResource": self._tags.listed,
        }

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer an operation.

        Raises: ServiceError, for an operation or a setting that is not here as well.
        """
        if operation not in self._operations:
            raise unknown_operation(self.name, operation)
        with self._lock:
            return self._operations[operation](params)

    def _create_group(self, params: dict[str, Any]) -> dict[str, Any]:
        if unknown := params.keys() - _CREATABLE:
            raise ServiceError("InvalidParameterValue", f"not supported: {sorted(unknown)}")
        name = params["ReplicationGroupId"]
        if name in self._groups:
            raise ServiceError("ReplicationGroupAlreadyExistsFault", f"{name} exists")
        if (subnets := params.get("CacheSubnetGroupName")) is not None:
            named(self._subnets, subnets, "CacheSubnetGroupNotFoundFault")
        self._groups[name] = {k: v for k, v in params.items() if k != "Tags"}
        self._tags.put(f"{self._arn}:replicationgroup:{name}", params)
        return {"ReplicationGroup": self._group_view(self._groups[name])}

    def _modify_group(self, params: dict[str, Any]) -> dict[str, Any]:
        group = self._group(params["ReplicationGroupId"])
        given = {k: v for k, v in params.items() if k not in _NOT_SETTINGS}
        if unknown := given.keys() - _MODIFIABLE:
            raise ServiceError("InvalidParameterValue", f"not supported: {sorted(unknown)}")
        group.update(given)
        return {"ReplicationGroup": self._group_view(group)}

    def _delete_group(self, params: dict[str, Any]) -> dict[str, Any]:
        group = self._group(params["ReplicationGroupId"])
        view = {**self._group_view(group), "Status": "deleting"}
        self._caches.remove(group["ReplicationGroupId"])
        del self._groups[group["ReplicationGroupId"]]
        return {"ReplicationGroup": view}

    def _describe_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = params.get("ReplicationGroupId")
        groups = [self._group(wanted)] if wanted else list(self._groups.values())
        return {"ReplicationGroups": [self._group_view(group) for group in groups]}

    def _describe_clusters(self, params: dict[str, Any]) -> dict[str, Any]:
        clusters = [view for g in self._groups.values() for view in views.clusters(g, self._arn)]
        wanted = params.get("CacheClusterId")
        if wanted is None:
            return {"CacheClusters": clusters}
        found = [cluster for cluster in clusters if cluster["CacheClusterId"] == wanted]
        if not found:
            raise ServiceError("CacheClusterNotFound", f"{wanted} does not exist")
        return {"CacheClusters": found}

    def _group(self, name: str) -> dict[str, Any]:
        return named(self._groups, name, "ReplicationGroupNotFoundFault")

    def _group_view(self, group: dict[str, Any]) -> dict[str, Any]:
        address = self._caches.ensure(group["ReplicationGroupId"])
        return views.replication_group(group, self._arn, address)

    def _create_subnets(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["CacheSubnetGroupName"] in self._subnets:
            name = params["CacheSubnetGroupName"]
            raise ServiceError("CacheSubnetGroupAlreadyExists", f"{name} exists")
        return self._put_subnets(params)

    def _modify_subnets(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["CacheSubnetGroupName"]
        named(self._subnets, name, "CacheSubnetGroupNotFoundFault")
        return self._put_subnets(params)

    def _put_subnets(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["CacheSubnetGroupName"]
        settings = {k: v for k, v in params.items() if k != "Tags"}
        self._subnets[name] = {**self._subnets.get(name, {}), **settings}
        self._tags.put(f"{self._arn}:subnetgroup:{name}", params)
        return {"CacheSubnetGroup": views.subnet_group(self._subnets[name], self._arn)}

    def _delete_subnets(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["CacheSubnetGroupName"]
        named(self._subnets, name, "CacheSubnetGroupNotFoundFault")
        users = [n for n, g in self._groups.items() if g.get("CacheSubnetGroupName") == name]
        if users:
            raise ServiceError("CacheSubnetGroupInUse", f"{name} is used by {users}")
        del self._subnets[name]
        return {}

    def _describe_subnets(self, params: dict[str, Any]) -> dict[str, Any]:
        found = some(
            self._subnets, params.get("CacheSubnetGroupName"), "CacheSubnetGroupNotFoundFault"
        )
        return {"CacheSubnetGroups": [views.subnet_group(group, self._arn) for group in found]}


_NOT_SETTINGS = frozenset({"ReplicationGroupId", "ApplyImmediately"})

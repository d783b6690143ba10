"""The operations of ElastiCache that the templates and their readers use."""

from __future__ import annotations

import threading
from typing import Any

from local.hosts import Caches
from local.protocol import ServiceError, unknown_operation
from local.services.elasticache import views

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
        self._parameters: dict[str, dict[str, Any]] = {}
        self._tags: dict[str, dict[str, str]] = {}
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
            "CreateCacheParameterGroup": self._create_parameters,
            "ModifyCacheParameterGroup": self._modify_parameters,
            "ResetCacheParameterGroup": self._reset_parameters,
            "DeleteCacheParameterGroup": self._delete_parameters,
            "DescribeCacheParameterGroups": self._describe_parameters,
            "DescribeCacheParameters": self._describe_values,
            "AddTagsToResource": self._add_tags,
            "RemoveTagsFromResource": self._remove_tags,
            "ListTagsForResource": self._list_tags,
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
            _named(self._subnets, subnets, "CacheSubnetGroupNotFoundFault")
        self._groups[name] = {k: v for k, v in params.items() if k != "Tags"}
        self._tag(f"{self._arn}:replicationgroup:{name}", params)
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
        return _named(self._groups, name, "ReplicationGroupNotFoundFault")

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
        _named(self._subnets, name, "CacheSubnetGroupNotFoundFault")
        return self._put_subnets(params)

    def _put_subnets(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["CacheSubnetGroupName"]
        settings = {k: v for k, v in params.items() if k != "Tags"}
        self._subnets[name] = {**self._subnets.get(name, {}), **settings}
        self._tag(f"{self._arn}:subnetgroup:{name}", params)
        return {"CacheSubnetGroup": views.subnet_group(self._subnets[name], self._arn)}

    def _delete_subnets(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["CacheSubnetGroupName"]
        _named(self._subnets, name, "CacheSubnetGroupNotFoundFault")
        users = [n for n, g in self._groups.items() if g.get("CacheSubnetGroupName") == name]
        if users:
            raise ServiceError("CacheSubnetGroupInUse", f"{name} is used by {users}")
        del self._subnets[name]
        return {}

    def _describe_subnets(self, params: dict[str, Any]) -> dict[str, Any]:
        found = _some(
            self._subnets, params.get("CacheSubnetGroupName"), "CacheSubnetGroupNotFoundFault"
        )
        return {"CacheSubnetGroups": [views.subnet_group(group, self._arn) for group in found]}

    def _create_parameters(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["CacheParameterGroupName"]
        if name in self._parameters:
            raise ServiceError("CacheParameterGroupAlreadyExists", f"{name} exists")
        self._parameters[name] = {**params, "values": {}}
        self._tag(f"{self._arn}:parametergroup:{name}", params)
        return {"CacheParameterGroup": views.parameter_group(self._parameters[name], self._arn)}

    def _modify_parameters(self, params: dict[str, Any]) -> dict[str, Any]:
        group = self._parameter_group(params)
        for item in params["ParameterNameValues"]:
            group["values"][item["ParameterName"]] = item["ParameterValue"]
        return {"CacheParameterGroupName": params["CacheParameterGroupName"]}

    def _reset_parameters(self, params: dict[str, Any]) -> dict[str, Any]:
        group = self._parameter_group(params)
        for item in params["ParameterNameValues"]:
            group["values"].pop(item["ParameterName"], None)
        return {"CacheParameterGroupName": params["CacheParameterGroupName"]}

    def _delete_parameters(self, params: dict[str, Any]) -> dict[str, Any]:
        del self._parameters[self._parameter_group(params)["CacheParameterGroupName"]]
        return {}

    def _describe_parameters(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = params.get("CacheParameterGroupName")
        found = _some(self._parameters, wanted, "CacheParameterGroupNotFound")
        groups = [views.parameter_group(group, self._arn) for group in found]
        return {"CacheParameterGroups": groups}

    def _describe_values(self, params: dict[str, Any]) -> dict[str, Any]:
        values = self._parameter_group(params)["values"].items()
        return {"Parameters": [{"ParameterName": n, "ParameterValue": v} for n, v in values]}

    def _parameter_group(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["CacheParameterGroupName"]
        return _named(self._parameters, name, "CacheParameterGroupNotFound")

    def _tag(self, arn: str, params: dict[str, Any]) -> None:
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or []}
        self._tags.setdefault(arn, {}).update(tags)

    def _add_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        self._tag(params["ResourceName"], params)
        return self._list_tags(params)

    def _remove_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        for key in params["TagKeys"]:
            self._tags.get(params["ResourceName"], {}).pop(key, None)
        return self._list_tags(params)

    def _list_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        tags = self._tags.get(params["ResourceName"], {})
        return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}


_NOT_SETTINGS = frozenset({"ReplicationGroupId", "ApplyImmediately"})


def _named(store: dict[str, dict[str, Any]], name: str, error: str) -> dict[str, Any]:
    if name not in store:
        raise ServiceError(error, f"{name} does not exist")
    return store[name]


def _some(store: dict[str, dict[str, Any]], name: str | None, error: str) -> list[dict[str, Any]]:
    return list(store.values()) if name is None else [_named(store, name, error)]

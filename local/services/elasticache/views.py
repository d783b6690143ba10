"""ElastiCache's records as its describe calls show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.hosts import Address

_ON_GROUP = (
    "AtRestEncryptionEnabled",
    "AutoMinorVersionUpgrade",
    "CacheNodeType",
    "Engine",
    "KmsKeyId",
    "ReplicationGroupId",
    "SnapshotRetentionLimit",
    "SnapshotWindow",
    "TransitEncryptionEnabled",
    "TransitEncryptionMode",
)
_ON_CLUSTER = (
    "AutoMinorVersionUpgrade",
    "CacheNodeType",
    "CacheSubnetGroupName",
    "Engine",
    "EngineVersion",
    "PreferredMaintenanceWindow",
    "ReplicationGroupId",
    "SnapshotRetentionLimit",
    "SnapshotWindow",
)


def members(group: Mapping[str, Any]) -> list[str]:
    """Return the ids of a group's cache clusters. All of them are the one local server."""
    count = int(group.get("NumCacheClusters") or 1)
    return [f"{group['ReplicationGroupId']}-{number:03}" for number in range(1, count + 1)]


def replication_group(group: Mapping[str, Any], arn: str, address: Address) -> dict[str, Any]:
    """Return a ReplicationGroup whose endpoints are where the server really listens."""
    endpoint = {"Address": address.host, "Port": address.port}
    node_group = {
        "NodeGroupId": "0001",
        "Status": "available",
        "PrimaryEndpoint": endpoint,
        "ReaderEndpoint": endpoint,
        "NodeGroupMembers": [
            {"CacheClusterId": member, "CacheNodeId": "0001", "ReadEndpoint": endpoint}
            for member in members(group)
        ],
    }
    return {
        **{name: group[name] for name in _ON_GROUP if name in group},
        "ARN": f"{arn}:replicationgroup:{group['ReplicationGroupId']}",
        "AutomaticFailover": _switch(group.get("AutomaticFailoverEnabled")),
        "ClusterEnabled": False,
        "Description": group["ReplicationGroupDescription"],
        "MemberClusters": members(group),
        "MultiAZ": _switch(group.get("MultiAZEnabled")),
        "NodeGroups": [node_group],
        "Status": "available",
    }


def clusters(group: Mapping[str, Any], arn: str) -> list[dict[str, Any]]:
    """Return a group's CacheClusters, which show its network, engine version and windows."""
    shown = {name: group[name] for name in _ON_CLUSTER if name in group}
    if "CacheParameterGroupName" in group:
        name = group["CacheParameterGroupName"]
        shown["CacheParameterGroup"] = {"CacheParameterGroupName": name}
    shown["SecurityGroups"] = [
        {"SecurityGroupId": identifier, "Status": "active"}
        for identifier in group.get("SecurityGroupIds", [])
    ]
    zones = group.get("PreferredCacheClusterAZs") or []
    return [
        {
            **shown,
            **({"PreferredAvailabilityZone": zones[index]} if index < len(zones) else {}),
            "ARN": f"{arn}:cluster:{member}",
            "CacheClusterId": member,
            "CacheClusterStatus": "available",
            "NumCacheNodes": 1,
        }
        for index, member in enumerate(members(group))
    ]


def subnet_group(group: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """Return a CacheSubnetGroup."""
    name = group["CacheSubnetGroupName"]
    return {
        "ARN": f"{arn}:subnetgroup:{name}",
        "CacheSubnetGroupDescription": group["CacheSubnetGroupDescription"],
        "CacheSubnetGroupName": name,
        "Subnets": [{"SubnetIdentifier": subnet} for subnet in group["SubnetIds"]],
    }


def parameter_group(group: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """Return a CacheParameterGroup."""
    names = ("CacheParameterGroupName", "CacheParameterGroupFamily", "Description")
    shown = {name: group[name] for name in names}
    return {**shown, "ARN": f"{arn}:parametergroup:{group['CacheParameterGroupName']}"}


def _switch(value: bool | None) -> str:
    return "enabled" if value else "disabled"

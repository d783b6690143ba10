"""AWS::ElastiCache, on the embedded AWS's own ElastiCache, whose caches really run."""

from __future__ import annotations

from typing import Any

from local.resources.base import Context
from local.resources.calls import call, dropped_tags, missing_is_fine, tag_list, without
from local.resources.kind import Kind, Properties, changed

_FIXED = frozenset(
    {
        "AtRestEncryptionEnabled",
        "CacheSubnetGroupName",
        "KmsKeyId",
        "NumCacheClusters",
        "Port",
        "PreferredCacheClusterAZs",
        "ReplicationGroupId",
        "TransitEncryptionEnabled",
        "TransitEncryptionMode",
    }
)
#: Changed by ModifyReplicationGroup.
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


class ReplicationGroup(Kind):
    """A Redis of its own on loopback. Its endpoint is the real one, port included.

    Encryption in transit is recorded; the local server speaks plain Redis.
    """

    type_name = "AWS::ElastiCache::ReplicationGroup"
    properties = _FIXED | _MODIFIABLE | {"Tags"}
    replace_on = _FIXED

    def make(self, context: Context, properties: Properties) -> str:
        name = str(
            properties.get("ReplicationGroupId") or context.unique_name(max_length=40, lower=True)
        )
        values = {**without(properties, "Tags"), "ReplicationGroupId": name}
        call(context.clients.client("elasticache"), "CreateReplicationGroup", values)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        elasticache = context.clients.client("elasticache")
        modified = {n: new[n] for n in _MODIFIABLE if n in new and changed(n, old, new)}
        if old and modified:
            values = {**modified, "ReplicationGroupId": physical_id, "ApplyImmediately": True}
            call(elasticache, "ModifyReplicationGroup", values)
        _settle_tags(elasticache, _arn(context, "replicationgroup", physical_id), old, new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("elasticache").delete_replication_group(
            ReplicationGroupId=physical_id
        )

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        found = context.clients.client("elasticache").describe_replication_groups(
            ReplicationGroupId=physical_id
        )
        primary = found["ReplicationGroups"][0]["NodeGroups"][0]["PrimaryEndpoint"]
        address, port = primary["Address"], str(primary["Port"])
        return {
            "PrimaryEndPoint.Address": address,
            "PrimaryEndPoint.Port": port,
            "ReaderEndPoint.Address": address,
            "ReaderEndPoint.Port": port,
        }


def _arn(context: Context, kind: str, name: str) -> str:
    return f"arn:aws:elasticache:{context.region}:{context.account}:{kind}:{name}"


def _settle_tags(elasticache: Any, arn: str, old: Properties, new: Properties) -> None:
    if dropped := dropped_tags(old, new):
        elasticache.remove_tags_from_resource(ResourceName=arn, TagKeys=dropped)
    if tags := tag_list(new):
        elasticache.add_tags_to_resource(ResourceName=arn, Tags=tags)


class SubnetGroup(Kind):
    """The subnets of a cache."""

    type_name = "AWS::ElastiCache::SubnetGroup"
    properties = frozenset({"CacheSubnetGroupName", "Description", "SubnetIds", "Tags"})
    replace_on = frozenset({"CacheSubnetGroupName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(
            properties.get("CacheSubnetGroupName")
            or context.unique_name(max_length=255, lower=True)
        ).lower()
        context.clients.client("elasticache").create_cache_subnet_group(
            CacheSubnetGroupName=name,
            CacheSubnetGroupDescription=properties["Description"],
            SubnetIds=properties["SubnetIds"],
        )
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        elasticache = context.clients.client("elasticache")
        if old and without(old, "Tags") != without(new, "Tags"):
            elasticache.modify_cache_subnet_group(
                CacheSubnetGroupName=physical_id,
                CacheSubnetGroupDescription=new["Description"],
                SubnetIds=new["SubnetIds"],
            )
        _settle_tags(elasticache, _arn(context, "subnetgroup", physical_id), old, new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("elasticache").delete_cache_subnet_group(
            CacheSubnetGroupName=physical_id
        )


class ParameterGroup(Kind):
    """Engine parameters. Recorded: the local Redis runs with its own defaults."""

    type_name = "AWS::ElastiCache::ParameterGroup"
    properties = frozenset({"CacheParameterGroupFamily", "Description", "Properties", "Tags"})
    replace_on = frozenset({"CacheParameterGroupFamily", "Description"})

    def make(self, context: Context, properties: Properties) -> str:
        name = context.unique_name(max_length=255, lower=True)
        context.clients.client("elasticache").create_cache_parameter_group(
            CacheParameterGroupName=name,
            CacheParameterGroupFamily=properties["CacheParameterGroupFamily"],
            Description=properties["Description"],
        )
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        elasticache = context.clients.client("elasticache")
        before, after = (dict(p.get("Properties", {})) for p in (old, new))
        group = {"CacheParameterGroupName": physical_id}
        if gone := sorted(before.keys() - after.keys()):
            reset = [{"ParameterName": name} for name in gone]
            elasticache.reset_cache_parameter_group(**group, ParameterNameValues=reset)
        if after and before != after:
            values = [{"ParameterName": n, "ParameterValue": str(v)} for n, v in after.items()]
            elasticache.modify_cache_parameter_group(**group, ParameterNameValues=values)
        _settle_tags(elasticache, _arn(context, "parametergroup", physical_id), old, new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        with missing_is_fine():
            context.clients.client("elasticache").delete_cache_parameter_group(
                CacheParameterGroupName=physical_id
            )

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"CacheParameterGroupName": physical_id}


HANDLERS = (ReplicationGroup(), SubnetGroup(), ParameterGroup())

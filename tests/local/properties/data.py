"""RDS and ElastiCache."""

from __future__ import annotations

from typing import Any

from tests.local.properties.reader import Properties, Reader, chosen


def _database(aws: Any, identifier: str) -> dict[str, Any]:
    answer = aws.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)
    found: dict[str, Any] = answer["DBInstances"][0]
    return found


def _instance(aws: Any, identifier: str, template: Properties) -> dict[str, Any]:
    found = _database(aws, identifier)
    groups = [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]]
    return {
        **found,
        "DBSubnetGroupName": found["DBSubnetGroup"]["DBSubnetGroupName"],
        "VPCSecurityGroups": groups,
        "DBParameterGroupName": found["DBParameterGroups"][0]["DBParameterGroupName"],
        "EnableCloudwatchLogsExports": found.get("EnabledCloudwatchLogsExports", []),
    }


def _instance_attributes(aws: Any, identifier: str) -> dict[str, Any]:
    endpoint = _database(aws, identifier)["Endpoint"]
    return {"Endpoint.Address": endpoint["Address"], "Endpoint.Port": str(endpoint["Port"])}


def _subnet_group(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    answer = aws.client("rds").describe_db_subnet_groups(DBSubnetGroupName=name)
    found = answer["DBSubnetGroups"][0]
    subnets = [subnet["SubnetIdentifier"] for subnet in found["Subnets"]]
    return {**found, "SubnetIds": subnets}


def _parameter_group(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    rds = aws.client("rds")
    found = rds.describe_db_parameter_groups(DBParameterGroupName=name)["DBParameterGroups"][0]
    parameters = rds.describe_db_parameters(DBParameterGroupName=name)["Parameters"]
    return {
        "Description": found["Description"],
        "Family": found["DBParameterGroupFamily"],
        "Parameters": {p["ParameterName"]: p["ParameterValue"] for p in parameters},
    }


def _replication_group(aws: Any, identifier: str) -> dict[str, Any]:
    answer = aws.client("elasticache").describe_replication_groups(ReplicationGroupId=identifier)
    found: dict[str, Any] = answer["ReplicationGroups"][0]
    return found


def _cache(aws: Any, identifier: str, template: Properties) -> dict[str, Any]:
    group = _replication_group(aws, identifier)
    member = group["MemberClusters"][0]
    answer = aws.client("elasticache").describe_cache_clusters(CacheClusterId=member)
    cluster = answer["CacheClusters"][0]
    return {
        **chosen(group, "AtRestEncryptionEnabled", "TransitEncryptionEnabled", "CacheNodeType"),
        **chosen(cluster, "Engine", "EngineVersion", "CacheSubnetGroupName"),
        "AutomaticFailoverEnabled": group["AutomaticFailover"] == "enabled",
        "MultiAZEnabled": group["MultiAZ"] == "enabled",
        "NumCacheClusters": len(group["MemberClusters"]),
        "ReplicationGroupDescription": group["Description"],
        "SecurityGroupIds": [item["SecurityGroupId"] for item in cluster["SecurityGroups"]],
    }


def _cache_attributes(aws: Any, identifier: str) -> dict[str, Any]:
    endpoint = _replication_group(aws, identifier)["NodeGroups"][0]["PrimaryEndpoint"]
    return {
        "PrimaryEndPoint.Address": endpoint["Address"],
        "PrimaryEndPoint.Port": str(endpoint["Port"]),
    }


def _cache_subnets(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    answer = aws.client("elasticache").describe_cache_subnet_groups(CacheSubnetGroupName=name)
    found = answer["CacheSubnetGroups"][0]
    return {
        "CacheSubnetGroupName": found["CacheSubnetGroupName"],
        "Description": found["CacheSubnetGroupDescription"],
        "SubnetIds": [subnet["SubnetIdentifier"] for subnet in found["Subnets"]],
    }


READERS = (
    Reader(
        "AWS::RDS::DBInstance",
        _instance,
        unreadable={
            "MasterUserPassword": "RDS never shows it; the database test logs in with it",
        },
        attributes=_instance_attributes,
    ),
    Reader("AWS::RDS::DBSubnetGroup", _subnet_group),
    Reader("AWS::RDS::DBParameterGroup", _parameter_group),
    Reader("AWS::ElastiCache::ReplicationGroup", _cache, attributes=_cache_attributes),
    Reader("AWS::ElastiCache::SubnetGroup", _cache_subnets),
)

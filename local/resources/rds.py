"""AWS::RDS: databases that really run, beside moto's records of them."""

from __future__ import annotations

from typing import Any

from local.resources.base import Context
from local.resources.calls import (
    InvalidPropertyError,
    call,
    dropped_tags,
    renamed,
    tag_list,
    without,
)
from local.resources.kind import Kind, Properties, changed
from local.services.addresses import show_database

#: The local server is built without TLS.
PLAIN_TEXT = ("rds.force_ssl", "0")
_NAMES = {"VPCSecurityGroups": "VpcSecurityGroupIds"}
_MODIFY_NAMES = {
    **_NAMES,
    "EnableCloudwatchLogsExports": "CloudwatchLogsExportConfiguration",
}
_FIXED = frozenset(
    {
        "AvailabilityZone",
        "DBInstanceIdentifier",
        "DBName",
        "DBSubnetGroupName",
        "Engine",
        "KmsKeyId",
        "MasterUsername",
        "StorageEncrypted",
    }
)
_MODIFIABLE = frozenset(
    {
        "AllocatedStorage",
        "AutoMinorVersionUpgrade",
        "BackupRetentionPeriod",
        "CACertificateIdentifier",
        "CopyTagsToSnapshot",
        "DBInstanceClass",
        "DBParameterGroupName",
        "DeletionProtection",
        "EnableCloudwatchLogsExports",
        "EnableIAMDatabaseAuthentication",
        "EnablePerformanceInsights",
        "EngineVersion",
        "Iops",
        "MasterUserPassword",
        "MaxAllocatedStorage",
        "MonitoringInterval",
        "MonitoringRoleArn",
        "MultiAZ",
        "PerformanceInsightsRetentionPeriod",
        "PreferredBackupWindow",
        "PreferredMaintenanceWindow",
        "PubliclyAccessible",
        "StorageThroughput",
        "StorageType",
        "VPCSecurityGroups",
    }
)


class DbInstance(Kind):
    """A PostgreSQL of its own on loopback. Its endpoint is the real one, port included.

    Log exports are recorded: the server's log lies below the state directory, in `log/`.
    """

    type_name = "AWS::RDS::DBInstance"
    properties = _FIXED | _MODIFIABLE | {"Tags"}
    replace_on = _FIXED

    def make(self, context: Context, properties: Properties) -> str:
        name = str(
            properties.get("DBInstanceIdentifier") or context.unique_name(max_length=63, lower=True)
        )
        values = renamed(without(properties, "Tags"), _NAMES)
        values["DBInstanceIdentifier"] = name
        call(context.clients.client("rds"), "CreateDBInstance", values)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        rds = context.clients.client("rds")
        host, port = context.hosts.databases.ensure(
            physical_id,
            user=str(new["MasterUsername"]),
            password=str(new["MasterUserPassword"]),
            db_name=str(new.get("DBName", "postgres")),
            parameters=server_parameters(rds, new.get("DBParameterGroupName")),
        )
        if old:
            modified = {n: new[n] for n in _MODIFIABLE if n in new and changed(n, old, new)}
            if modified:
                values = _modification(old, modified)
                values |= {"DBInstanceIdentifier": physical_id, "ApplyImmediately": True}
                call(rds, "ModifyDBInstance", values)
        show_database(context, physical_id, host, port)
        settle_tags(rds, rds_arn(context, "db", physical_id), old, new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        """Delete the record first: it refuses when the database is protected."""
        context.clients.client("rds").delete_db_instance(
            DBInstanceIdentifier=physical_id, SkipFinalSnapshot=True
        )
        context.hosts.databases.remove(physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        found = context.clients.client("rds").describe_db_instances(
            DBInstanceIdentifier=physical_id
        )["DBInstances"][0]
        return {
            "DBInstanceArn": found["DBInstanceArn"],
            "DbiResourceId": found["DbiResourceId"],
            "Endpoint.Address": found["Endpoint"]["Address"],
            "Endpoint.Port": str(found["Endpoint"]["Port"]),
        }


def _modification(old: Properties, modified: dict[str, Any]) -> dict[str, Any]:
    """Return ModifyDBInstance's arguments; log exports go there as what to turn on and off."""
    values = renamed(modified, _MODIFY_NAMES)
    if "EnableCloudwatchLogsExports" in modified:
        before = set(old.get("EnableCloudwatchLogsExports", []))
        after = set(modified["EnableCloudwatchLogsExports"])
        values["CloudwatchLogsExportConfiguration"] = {
            "EnableLogTypes": sorted(after - before),
            "DisableLogTypes": sorted(before - after),
        }
    return values


def server_parameters(rds: Any, group: str | None) -> dict[str, str]:
    """Return what a parameter group sets of PostgreSQL's own parameters.

    Raises: InvalidPropertyError for what the local server cannot honour: TLS, RDS's formulas.
    """
    if group is None:
        return {}
    pages = rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group)
    found = {p["ParameterName"]: p["ParameterValue"] for page in pages for p in page["Parameters"]}
    for name, value in found.items():
        if (name.startswith("rds.") and (name, value) != PLAIN_TEXT) or "{" in value:
            raise InvalidPropertyError(
                f"parameter {name} = {value!r} of {group}: the local PostgreSQL has no TLS, no "
                "extensions of RDS and no formulas; allowed: its own parameters, rds.force_ssl 0"
            )
    return {name: value for name, value in found.items() if name != PLAIN_TEXT[0]}


def rds_arn(context: Context, kind: str, name: str) -> str:
    """Return an ARN of RDS: `db`, `subgrp` or `pg`."""
    return f"arn:aws:rds:{context.region}:{context.account}:{kind}:{name}"


def settle_tags(rds: Any, arn: str, old: Properties, new: Properties) -> None:
    """Give the resource the tags of `new` and take away those that only `old` had."""
    if dropped := dropped_tags(old, new):
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=dropped)
    if tags := tag_list(new):
        rds.add_tags_to_resource(ResourceName=arn, Tags=tags)


HANDLERS = (DbInstance(),)

"""AWS::RDS: subnet groups and parameter groups."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import call, without
from local.resources.kind import Kind, Properties
from local.resources.rds import rds_arn, settle_tags


class DbSubnetGroup(Kind):
    """The subnets of a database."""

    type_name = "AWS::RDS::DBSubnetGroup"
    properties = frozenset({"DBSubnetGroupDescription", "DBSubnetGroupName", "SubnetIds", "Tags"})
    replace_on = frozenset({"DBSubnetGroupName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(
            properties.get("DBSubnetGroupName") or context.unique_name(max_length=255, lower=True)
        )
        values = {**without(properties, "Tags"), "DBSubnetGroupName": name}
        call(context.clients.client("rds"), "CreateDBSubnetGroup", values)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        rds = context.clients.client("rds")
        if old and without(old, "Tags") != without(new, "Tags"):
            values = {**without(new, "Tags"), "DBSubnetGroupName": physical_id}
            call(rds, "ModifyDBSubnetGroup", values)
        settle_tags(rds, rds_arn(context, "subgrp", physical_id), old, new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("rds").delete_db_subnet_group(DBSubnetGroupName=physical_id)


class DbParameterGroup(Kind):
    """Engine parameters. Recorded: the local PostgreSQL runs with its own defaults."""

    type_name = "AWS::RDS::DBParameterGroup"
    properties = frozenset({"DBParameterGroupName", "Description", "Family", "Parameters", "Tags"})
    replace_on = frozenset({"DBParameterGroupName", "Description", "Family"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(
            properties.get("DBParameterGroupName")
            or context.unique_name(max_length=255, lower=True)
        )
        context.clients.client("rds").create_db_parameter_group(
            DBParameterGroupName=name,
            DBParameterGroupFamily=properties["Family"],
            Description=properties["Description"],
        )
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        rds = context.clients.client("rds")
        before, after = (dict(p.get("Parameters", {})) for p in (old, new))
        group = {"DBParameterGroupName": physical_id}
        if gone := sorted(before.keys() - after.keys()):
            reset = [{"ParameterName": n, "ApplyMethod": "pending-reboot"} for n in gone]
            rds.reset_db_parameter_group(**group, Parameters=reset)
        if after and before != after:
            parameters = [
                {"ParameterName": n, "ParameterValue": str(v), "ApplyMethod": "pending-reboot"}
                for n, v in after.items()
            ]
            rds.modify_db_parameter_group(**group, Parameters=parameters)
        settle_tags(rds, rds_arn(context, "pg", physical_id), old, new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("rds").delete_db_parameter_group(DBParameterGroupName=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"DBParameterGroupName": physical_id}


HANDLERS = (DbSubnetGroup(), DbParameterGroup())

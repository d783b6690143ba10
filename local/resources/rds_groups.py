"""AWS::RDS: subnet groups and parameter groups."""

from __future__ import annotations

from typing import Any

from local.resources.base import Context
from local.resources.calls import call, without
from local.resources.kind import Kind, Properties
from local.resources.rds import rds_arn, server_parameters, settle_tags


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
    """Engine parameters, which the servers of the group's databases take over."""

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
        if old and before != after:
            self._hand_on(context, rds, physical_id)
        settle_tags(rds, rds_arn(context, "pg", physical_id), old, new)

    @staticmethod
    def _hand_on(context: Context, rds: Any, group: str) -> None:
        pages = rds.get_paginator("describe_db_instances").paginate()
        for database in (found for page in pages for found in page["DBInstances"]):
            if group in [g["DBParameterGroupName"] for g in database["DBParameterGroups"]]:
                name = database["DBInstanceIdentifier"]
                context.hosts.databases.configure(name, server_parameters(rds, group))

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("rds").delete_db_parameter_group(DBParameterGroupName=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"DBParameterGroupName": physical_id}


HANDLERS = (DbSubnetGroup(), DbParameterGroup())

"""AWS::EC2: VPC endpoints and flow logs. Recorded."""

from __future__ import annotations

from typing import Any

from local.resources.base import Context
from local.resources.calls import call, text, without
from local.resources.ec2_kind import settle_tags
from local.resources.kind import Kind, Properties, changed

_SETS = {
    "RouteTableIds": ("AddRouteTableIds", "RemoveRouteTableIds"),
    "SubnetIds": ("AddSubnetIds", "RemoveSubnetIds"),
    "SecurityGroupIds": ("AddSecurityGroupIds", "RemoveSecurityGroupIds"),
}


class VpcEndpoint(Kind):
    """A gateway or interface endpoint."""

    type_name = "AWS::EC2::VPCEndpoint"
    properties = frozenset(
        {"PolicyDocument", "PrivateDnsEnabled", "ServiceName", "Tags", "VpcEndpointType", "VpcId"}
        | _SETS.keys()
    )
    replace_on = frozenset({"ServiceName", "VpcEndpointType", "VpcId"})

    def make(self, context: Context, properties: Properties) -> str:
        answer = call(
            context.clients.client("ec2"), "CreateVpcEndpoint", without(properties, "Tags")
        )
        return str(answer["VpcEndpoint"]["VpcEndpointId"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        ec2 = context.clients.client("ec2")
        settle_tags(ec2, physical_id, old, new)
        changes: dict[str, Any] = {}
        for name, (add, remove) in _SETS.items() if old else ():
            before, after = (set(p.get(name, [])) for p in (old, new))
            if after - before:
                changes[add] = sorted(after - before)
            if before - after:
                changes[remove] = sorted(before - after)
        if old and changed("PrivateDnsEnabled", old, new):
            changes["PrivateDnsEnabled"] = new.get("PrivateDnsEnabled", False)
        if old and changed("PolicyDocument", old, new):
            if "PolicyDocument" in new:
                changes["PolicyDocument"] = text(new["PolicyDocument"])
            else:
                changes["ResetPolicy"] = True
        if changes:
            call(ec2, "ModifyVpcEndpoint", {"VpcEndpointId": physical_id, **changes})

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[physical_id])

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Id": physical_id}


class FlowLog(Kind):
    """A flow log. Nothing flows locally, so it stays empty."""

    type_name = "AWS::EC2::FlowLog"
    properties = frozenset(
        {
            "DeliverLogsPermissionArn",
            "LogDestination",
            "LogDestinationType",
            "LogFormat",
            "LogGroupName",
            "MaxAggregationInterval",
            "ResourceId",
            "ResourceType",
            "Tags",
            "TrafficType",
        }
    )
    replace_on = properties - {"Tags"}

    def make(self, context: Context, properties: Properties) -> str:
        values = without(properties, "Tags", "ResourceId")
        values["ResourceIds"] = [properties["ResourceId"]]
        answer = call(context.clients.client("ec2"), "CreateFlowLogs", values)
        if not answer["FlowLogIds"]:
            raise RuntimeError(f"flow log refused: {answer['Unsuccessful']}")
        return str(answer["FlowLogIds"][0])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        settle_tags(context.clients.client("ec2"), physical_id, old, new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("ec2").delete_flow_logs(FlowLogIds=[physical_id])

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Id": physical_id}


HANDLERS = (VpcEndpoint(), FlowLog())

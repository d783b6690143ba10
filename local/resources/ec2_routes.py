"""AWS::EC2: route tables, gateways and addresses. Recorded: locally all traffic is loopback."""

from __future__ import annotations

from typing import Any

from local.resources.base import Context
from local.resources.calls import call
from local.resources.ec2_kind import Ec2Kind, settle_tags
from local.resources.kind import Kind, Properties


class RouteTable(Ec2Kind):
    """A route table."""

    type_name = "AWS::EC2::RouteTable"
    properties = frozenset({"VpcId", "Tags"})
    made = ("CreateRouteTable", "RouteTable", "RouteTableId")
    removed = ("DeleteRouteTable", "RouteTableId")

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"RouteTableId": physical_id}


class Route(Kind):
    """One route; its physical id is `<table>|<destination>`."""

    type_name = "AWS::EC2::Route"
    properties = frozenset(
        {
            "RouteTableId",
            "DestinationCidrBlock",
            "GatewayId",
            "NatGatewayId",
            "InstanceId",
            "NetworkInterfaceId",
        }
    )
    replace_on = frozenset({"RouteTableId", "DestinationCidrBlock"})

    def make(self, context: Context, properties: Properties) -> str:
        call(context.clients.client("ec2"), "CreateRoute", properties)
        return f"{properties['RouteTableId']}|{properties['DestinationCidrBlock']}"

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if old and old != new:
            call(context.clients.client("ec2"), "ReplaceRoute", new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        table, destination = physical_id.split("|")
        context.clients.client("ec2").delete_route(
            RouteTableId=table, DestinationCidrBlock=destination
        )


class SubnetRouteTableAssociation(Ec2Kind):
    """A subnet's route table."""

    type_name = "AWS::EC2::SubnetRouteTableAssociation"
    properties = frozenset({"RouteTableId", "SubnetId"})
    removed = ("DisassociateRouteTable", "AssociationId")

    def make(self, context: Context, properties: Properties) -> str:
        answer = call(context.clients.client("ec2"), "AssociateRouteTable", properties)
        return str(answer["AssociationId"])

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Id": physical_id}


class InternetGateway(Ec2Kind):
    """An internet gateway."""

    type_name = "AWS::EC2::InternetGateway"
    properties = frozenset({"Tags"})
    made = ("CreateInternetGateway", "InternetGateway", "InternetGatewayId")
    removed = ("DeleteInternetGateway", "InternetGatewayId")

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"InternetGatewayId": physical_id}


class GatewayAttachment(Kind):
    """An internet gateway's VPC."""

    type_name = "AWS::EC2::VPCGatewayAttachment"
    properties = frozenset({"VpcId", "InternetGatewayId"})
    replace_on = properties

    def make(self, context: Context, properties: Properties) -> str:
        call(context.clients.client("ec2"), "AttachInternetGateway", properties)
        return f"IGW|{properties['VpcId']}"

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        call(context.clients.client("ec2"), "DetachInternetGateway", properties)


class ElasticIp(Kind):
    """An elastic address; its physical id is the address itself."""

    type_name = "AWS::EC2::EIP"
    properties = frozenset({"Domain", "Tags"})
    replace_on = frozenset({"Domain"})

    def make(self, context: Context, properties: Properties) -> str:
        ec2 = context.clients.client("ec2")
        return str(ec2.allocate_address(Domain=properties.get("Domain", "vpc"))["PublicIp"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        ec2 = context.clients.client("ec2")
        settle_tags(ec2, self._allocation(ec2, physical_id), old, new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        ec2 = context.clients.client("ec2")
        ec2.release_address(AllocationId=self._allocation(ec2, physical_id))

    @staticmethod
    def _allocation(ec2: Any, address: str) -> str:
        found = ec2.describe_addresses(PublicIps=[address])["Addresses"]
        return str(found[0]["AllocationId"])

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        allocation = self._allocation(context.clients.client("ec2"), physical_id)
        return {"AllocationId": allocation, "PublicIp": physical_id}


class NatGateway(Ec2Kind):
    """A NAT gateway."""

    type_name = "AWS::EC2::NatGateway"
    properties = frozenset({"AllocationId", "SubnetId", "ConnectivityType", "Tags"})
    made = ("CreateNatGateway", "NatGateway", "NatGatewayId")
    removed = ("DeleteNatGateway", "NatGatewayId")

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"NatGatewayId": physical_id}


HANDLERS = (
    RouteTable(),
    Route(),
    SubnetRouteTableAssociation(),
    InternetGateway(),
    GatewayAttachment(),
    ElasticIp(),
    NatGateway(),
)

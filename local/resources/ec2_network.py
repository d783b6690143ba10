"""AWS::EC2: the network, from the VPC to the routes. Recorded: locally all traffic is loopback."""

from __future__ import annotations

from typing import Any, ClassVar

from local.resources.base import Context
from local.resources.calls import call, truth, without
from local.resources.ec2_tags import settle_tags
from local.resources.kind import Kind, Properties, changed


class _Ec2(Kind):
    """A type made by one call, and removed by one that takes its id.

    `made` is the API's create operation and the path of the id in its answer; `removed` the
    delete operation and the name of its id parameter. Everything but the tags (and what a
    subclass changes in place) replaces the resource.
    """

    made: ClassVar[tuple[str, str, str]]
    removed: ClassVar[tuple[str, str]]
    in_place: ClassVar[frozenset[str]] = frozenset({"Tags"})

    def __init_subclass__(cls) -> None:
        if "properties" in cls.__dict__ and "replace_on" not in cls.__dict__:
            cls.replace_on = cls.properties - cls.in_place

    def make(self, context: Context, properties: Properties) -> str:
        operation, group, name = self.made
        values = without(properties, *self.in_place)
        answer = call(context.clients.client("ec2"), operation, values)
        return str(answer[group][name])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        settle_tags(context.clients.client("ec2"), physical_id, old, new)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        operation, name = self.removed
        call(context.clients.client("ec2"), operation, {name: physical_id})


class Vpc(_Ec2):
    """A VPC."""

    type_name = "AWS::EC2::VPC"
    in_place = frozenset({"Tags", "EnableDnsHostnames", "EnableDnsSupport"})
    properties = frozenset({"CidrBlock", "InstanceTenancy", *in_place})
    made = ("CreateVpc", "Vpc", "VpcId")
    removed = ("DeleteVpc", "VpcId")

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        super().change(context, physical_id, old, new)
        for name, default in (("EnableDnsSupport", True), ("EnableDnsHostnames", False)):
            if changed(name, old, new):
                value = {"Value": truth(new.get(name, default))}
                context.clients.client("ec2").modify_vpc_attribute(
                    VpcId=physical_id, **{name: value}
                )

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        ec2 = context.clients.client("ec2")
        default = ec2.describe_security_groups(
            Filters=[
                {"Name": "vpc-id", "Values": [physical_id]},
                {"Name": "group-name", "Values": ["default"]},
            ]
        )["SecurityGroups"][0]
        return {
            "VpcId": physical_id,
            "CidrBlock": properties["CidrBlock"],
            "DefaultSecurityGroup": default["GroupId"],
        }


class Subnet(_Ec2):
    """A subnet."""

    type_name = "AWS::EC2::Subnet"
    in_place = frozenset({"Tags", "MapPublicIpOnLaunch"})
    properties = frozenset({"AvailabilityZone", "CidrBlock", "VpcId", *in_place})
    made = ("CreateSubnet", "Subnet", "SubnetId")
    removed = ("DeleteSubnet", "SubnetId")

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        super().change(context, physical_id, old, new)
        if changed("MapPublicIpOnLaunch", old, new):
            value = {"Value": truth(new.get("MapPublicIpOnLaunch", False))}
            context.clients.client("ec2").modify_subnet_attribute(
                SubnetId=physical_id, MapPublicIpOnLaunch=value
            )

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {
            "SubnetId": physical_id,
            "AvailabilityZone": properties.get("AvailabilityZone", f"{context.region}a"),
            "CidrBlock": properties["CidrBlock"],
            "VpcId": properties["VpcId"],
        }


class RouteTable(_Ec2):
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


class SubnetRouteTableAssociation(_Ec2):
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


class InternetGateway(_Ec2):
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


class NatGateway(_Ec2):
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
    Vpc(),
    Subnet(),
    RouteTable(),
    Route(),
    SubnetRouteTableAssociation(),
    InternetGateway(),
    GatewayAttachment(),
    ElasticIp(),
    NatGateway(),
)

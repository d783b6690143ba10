"""AWS::EC2: VPCs and subnets. Recorded: locally all traffic is loopback."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import truth
from local.resources.ec2_kind import Ec2Kind
from local.resources.kind import Properties, changed


class Vpc(Ec2Kind):
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


class Subnet(Ec2Kind):
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


HANDLERS = (Vpc(), Subnet())

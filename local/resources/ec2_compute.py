"""AWS::EC2: launch templates and single instances."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from local.resources.base import Context
from local.resources.calls import call, truth
from local.resources.ec2_kind import settle_tags
from local.resources.kind import Kind, Properties, changed


class LaunchTemplate(Kind):
    """A launch template; changed data become its newest version, and the default stays."""

    type_name = "AWS::EC2::LaunchTemplate"
    properties = frozenset(
        {"LaunchTemplateData", "LaunchTemplateName", "TagSpecifications", "VersionDescription"}
    )
    replace_on = frozenset({"LaunchTemplateName"})

    def make(self, context: Context, properties: Properties) -> str:
        values = {
            "LaunchTemplateName": properties.get("LaunchTemplateName")
            or context.unique_name(max_length=128),
            **_version(properties),
        }
        answer = call(context.clients.client("ec2"), "CreateLaunchTemplate", values)
        return str(answer["LaunchTemplate"]["LaunchTemplateId"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        ec2 = context.clients.client("ec2")
        settle_tags(ec2, physical_id, _own_tags(old), _own_tags(new))
        if old and changed("LaunchTemplateData", old, new):
            values = {"LaunchTemplateId": physical_id, **_version(new)}
            call(ec2, "CreateLaunchTemplateVersion", values)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("ec2").delete_launch_template(LaunchTemplateId=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        ec2 = context.clients.client("ec2")
        found = ec2.describe_launch_templates(LaunchTemplateIds=[physical_id])
        template = found["LaunchTemplates"][0]
        return {
            "LaunchTemplateId": physical_id,
            "LatestVersionNumber": str(template["LatestVersionNumber"]),
            "DefaultVersionNumber": str(template["DefaultVersionNumber"]),
        }


def _version(properties: Properties) -> dict[str, Any]:
    names = ("LaunchTemplateData", "VersionDescription")
    return {name: properties[name] for name in names if name in properties}


def _own_tags(properties: Properties) -> dict[str, Any]:
    """Return the tags of the template itself, as a resource's Tags."""
    tags = [
        tag
        for specification in properties.get("TagSpecifications", [])
        if specification["ResourceType"] == "launch-template"
        for tag in specification["Tags"]
    ]
    return {"Tags": tags}


_IN_PLACE = frozenset({"Tags", "SourceDestCheck", "SecurityGroupIds"})


class Instance(Kind):
    """A single instance, such as a NAT instance."""

    type_name = "AWS::EC2::Instance"
    properties = frozenset(
        {
            "AvailabilityZone",
            "BlockDeviceMappings",
            "IamInstanceProfile",
            "ImageId",
            "InstanceType",
            "LaunchTemplate",
            "MetadataOptions",
            "NetworkInterfaces",
            "SubnetId",
            "UserData",
            *_IN_PLACE,
        }
    )
    replace_on = properties - _IN_PLACE

    def make(self, context: Context, properties: Properties) -> str:
        skipped = {"Tags", "SourceDestCheck", "AvailabilityZone"}
        values = {k: v for k, v in properties.items() if k not in skipped}
        if "AvailabilityZone" in properties:
            values["Placement"] = {"AvailabilityZone": properties["AvailabilityZone"]}
        if "IamInstanceProfile" in properties:
            values["IamInstanceProfile"] = {"Name": properties["IamInstanceProfile"]}
        if "UserData" in properties:
            values["UserData"] = base64.b64decode(properties["UserData"]).decode()
        values["NetworkInterfaces"] = [
            _interface(interface) for interface in properties.get("NetworkInterfaces", [])
        ]
        values |= {"MinCount": 1, "MaxCount": 1}
        answer = call(context.clients.client("ec2"), "RunInstances", values)
        return str(answer["Instances"][0]["InstanceId"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        ec2 = context.clients.client("ec2")
        settle_tags(ec2, physical_id, old, new)
        if changed("SourceDestCheck", old, new):
            value = {"Value": truth(new.get("SourceDestCheck", True))}
            ec2.modify_instance_attribute(InstanceId=physical_id, SourceDestCheck=value)
        if old and changed("SecurityGroupIds", old, new):
            groups = new["SecurityGroupIds"]
            ec2.modify_instance_attribute(InstanceId=physical_id, Groups=groups)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("ec2").terminate_instances(InstanceIds=[physical_id])

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        ec2 = context.clients.client("ec2")
        found = ec2.describe_instances(InstanceIds=[physical_id])
        instance = found["Reservations"][0]["Instances"][0]
        return {
            "InstanceId": physical_id,
            "AvailabilityZone": instance["Placement"]["AvailabilityZone"],
            "PrivateDnsName": instance.get("PrivateDnsName", ""),
            "PrivateIp": instance.get("PrivateIpAddress", ""),
            "PublicDnsName": instance.get("PublicDnsName", ""),
            "PublicIp": instance.get("PublicIpAddress", ""),
        }


def _interface(interface: Mapping[str, Any]) -> dict[str, Any]:
    """Return a network interface under the API's name for its groups."""
    return {("Groups" if key == "GroupSet" else key): item for key, item in interface.items()}


HANDLERS = (LaunchTemplate(), Instance())

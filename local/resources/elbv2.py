"""AWS::ElasticLoadBalancingV2: load balancers whose address really listens, and target groups."""

from __future__ import annotations

from typing import Any

from local.resources.base import Context
from local.resources.calls import InvalidPropertyError, call, dropped_tags, tag_list
from local.resources.kind import Kind, Properties, changed
from local.services.addresses import show_load_balancer


def _attributes(old: Properties, new: Properties, name: str) -> list[dict[str, str]]:
    """Return the Key and Value pairs to set; one that only `old` had cannot be unset."""
    before = {a["Key"]: a["Value"] for a in old.get(name, [])}
    after = {a["Key"]: a["Value"] for a in new.get(name, [])}
    if gone := before.keys() - after.keys():
        raise InvalidPropertyError(
            f"{name} {sorted(gone)} cannot be unset; give each its default instead"
        )
    return [
        {"Key": key, "Value": str(value)}
        for key, value in after.items()
        if before.get(key) != value
    ]


def _settle_tags(elbv2: Any, arn: str, old: Properties, new: Properties) -> None:
    if dropped := dropped_tags(old, new):
        elbv2.remove_tags(ResourceArns=[arn], TagKeys=dropped)
    if tags := tag_list(new):
        elbv2.add_tags(ResourceArns=[arn], Tags=tags)


class LoadBalancer(Kind):
    """A load balancer. Its DNSName is the loopback address on which the host serves it."""

    type_name = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    properties = frozenset(
        {
            "IpAddressType",
            "LoadBalancerAttributes",
            "Name",
            "Scheme",
            "SecurityGroups",
            "Subnets",
            "Tags",
            "Type",
        }
    )
    replace_on = frozenset({"Name", "Scheme", "Type"})

    def make(self, context: Context, properties: Properties) -> str:
        names = ("Scheme", "Type", "Subnets", "SecurityGroups", "IpAddressType")
        values = {name: properties[name] for name in names if name in properties}
        values["Name"] = properties.get("Name") or context.unique_name(max_length=32)
        answer = call(context.clients.client("elbv2"), "CreateLoadBalancer", values)
        return str(answer["LoadBalancers"][0]["LoadBalancerArn"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        elbv2 = context.clients.client("elbv2")
        arn = {"LoadBalancerArn": physical_id}
        if attributes := _attributes(old, new, "LoadBalancerAttributes"):
            elbv2.modify_load_balancer_attributes(**arn, Attributes=attributes)
        if old and changed("SecurityGroups", old, new):
            elbv2.set_security_groups(**arn, SecurityGroups=new["SecurityGroups"])
        if old and changed("Subnets", old, new):
            elbv2.set_subnets(**arn, Subnets=new["Subnets"])
        if old and changed("IpAddressType", old, new):
            elbv2.set_ip_address_type(**arn, IpAddressType=new.get("IpAddressType", "ipv4"))
        _settle_tags(elbv2, physical_id, old, new)
        show_load_balancer(context, physical_id, context.hosts.load_balancers.ensure(physical_id))

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.hosts.load_balancers.remove(physical_id)
        context.clients.client("elbv2").delete_load_balancer(LoadBalancerArn=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        full_name = physical_id.split(":loadbalancer/", 1)[1]
        return {
            "CanonicalHostedZoneID": "ZWKZPGTI48KDX",
            "DNSName": context.hosts.load_balancers.ensure(physical_id),
            "LoadBalancerArn": physical_id,
            "LoadBalancerFullName": full_name,
            "LoadBalancerName": full_name.split("/")[1],
            "SecurityGroups": properties.get("SecurityGroups", []),
        }


#: Changed by ModifyTargetGroup.
_CHECK = frozenset(
    {
        "HealthCheckEnabled",
        "HealthCheckIntervalSeconds",
        "HealthCheckPath",
        "HealthCheckPort",
        "HealthCheckProtocol",
        "HealthCheckTimeoutSeconds",
        "HealthyThresholdCount",
        "Matcher",
        "UnhealthyThresholdCount",
    }
)
_FIXED = frozenset({"Name", "Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId"})


class TargetGroup(Kind):
    """A target group with its health check, which the host really performs."""

    type_name = "AWS::ElasticLoadBalancingV2::TargetGroup"
    properties = _CHECK | _FIXED | {"TargetGroupAttributes", "Tags"}
    replace_on = _FIXED

    def make(self, context: Context, properties: Properties) -> str:
        values = {name: properties[name] for name in _CHECK | _FIXED if name in properties}
        values.setdefault("Name", context.unique_name(max_length=32))
        answer = call(context.clients.client("elbv2"), "CreateTargetGroup", values)
        return str(answer["TargetGroups"][0]["TargetGroupArn"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        elbv2 = context.clients.client("elbv2")
        check = {n: new[n] for n in _CHECK if n in new and changed(n, old, new)}
        if old and check:
            call(elbv2, "ModifyTargetGroup", {"TargetGroupArn": physical_id, **check})
        if attributes := _attributes(old, new, "TargetGroupAttributes"):
            elbv2.modify_target_group_attributes(TargetGroupArn=physical_id, Attributes=attributes)
        _settle_tags(elbv2, physical_id, old, new)
        context.hosts.load_balancers.refresh()

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("elbv2").delete_target_group(TargetGroupArn=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        full_name = physical_id.rsplit(":", 1)[1]
        found = context.clients.client("elbv2").describe_target_groups(
            TargetGroupArns=[physical_id]
        )["TargetGroups"][0]
        return {
            "LoadBalancerArns": found.get("LoadBalancerArns", []),
            "TargetGroupArn": physical_id,
            "TargetGroupFullName": full_name,
            "TargetGroupName": full_name.split("/")[1],
        }


HANDLERS = (LoadBalancer(), TargetGroup())

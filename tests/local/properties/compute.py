"""Launch templates, Auto Scaling, load balancing."""

from __future__ import annotations

from typing import Any

from tests.local.properties.reader import Properties, Reader, chosen, present


def _template(aws: Any, identifier: str, template: Properties) -> dict[str, Any]:
    ec2 = aws.client("ec2")
    versions = ec2.describe_launch_template_versions(
        LaunchTemplateId=identifier, Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    found = ec2.describe_launch_templates(LaunchTemplateIds=[identifier])["LaunchTemplates"][0]
    own = {"ResourceType": "launch-template", "Tags": found.get("Tags", [])}
    return {
        "LaunchTemplateName": found["LaunchTemplateName"],
        "LaunchTemplateData": versions[0]["LaunchTemplateData"],
        "TagSpecifications": [own],
    }


def _template_attributes(aws: Any, identifier: str) -> dict[str, Any]:
    answer = aws.client("ec2").describe_launch_templates(LaunchTemplateIds=[identifier])
    found = answer["LaunchTemplates"][0]
    return {name: str(found[name]) for name in ("LatestVersionNumber", "DefaultVersionNumber")}


def _scaling_group(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    answer = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    found = answer["AutoScalingGroups"][0]
    metrics = found.get("EnabledMetrics", [])
    shown = {
        **found,
        "VPCZoneIdentifier": found["VPCZoneIdentifier"].split(","),
        "TargetGroupARNs": found.get("TargetGroupARNs", []),
    }
    if metrics:
        granularities = {metric["Granularity"] for metric in metrics}
        shown["MetricsCollection"] = [{"Granularity": name} for name in granularities]
    return shown


def _hook(aws: Any, name: str, template: Properties) -> Properties:
    answer = aws.client("autoscaling").describe_lifecycle_hooks(
        AutoScalingGroupName=template["AutoScalingGroupName"], LifecycleHookNames=[name]
    )
    shown: dict[str, Any] = answer["LifecycleHooks"][0]
    return shown


def _policy(aws: Any, arn: str, template: Properties) -> Properties:
    answer = aws.client("autoscaling").describe_policies(PolicyNames=[arn])
    shown: dict[str, Any] = answer["ScalingPolicies"][0]
    return shown


def _pairs(attributes: list[dict[str, str]]) -> list[dict[str, str]]:
    return [chosen(attribute, "Key", "Value") for attribute in attributes]


def _balancer(aws: Any, arn: str, template: Properties) -> dict[str, Any]:
    elbv2 = aws.client("elbv2")
    found = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {
        "Name": found["LoadBalancerName"],
        **chosen(found, "Scheme", "Type", "SecurityGroups", "IpAddressType"),
        "Subnets": [zone["SubnetId"] for zone in found["AvailabilityZones"]],
        "LoadBalancerAttributes": _pairs(attributes),
    }


def _balancer_attributes(aws: Any, arn: str) -> dict[str, Any]:
    answer = aws.client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])
    found = answer["LoadBalancers"][0]
    full_name = found["LoadBalancerArn"].split(":loadbalancer/")[1]
    return {"DNSName": found["DNSName"], "LoadBalancerFullName": full_name}


def _target_group(aws: Any, arn: str, template: Properties) -> dict[str, Any]:
    elbv2 = aws.client("elbv2")
    found = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return {**found, "TargetGroupAttributes": _pairs(attributes)}


def _target_group_attributes(aws: Any, arn: str) -> dict[str, Any]:
    answer = aws.client("elbv2").describe_target_groups(TargetGroupArns=[arn])
    name = answer["TargetGroups"][0]["TargetGroupArn"].rsplit(":", 1)[1]
    return {"TargetGroupFullName": name, "TargetGroupName": name.split("/")[1]}


def _listener(aws: Any, arn: str, template: Properties) -> Properties:
    shown: dict[str, Any] = aws.client("elbv2").describe_listeners(ListenerArns=[arn])
    found: dict[str, Any] = shown["Listeners"][0]
    return found


def _rule(aws: Any, arn: str, template: Properties) -> dict[str, Any]:
    found = aws.client("elbv2").describe_rules(RuleArns=[arn])["Rules"][0]
    return present(**found, ListenerArn=template["ListenerArn"])


_ATTRIBUTES = frozenset({"Tags", "LoadBalancerAttributes", "TargetGroupAttributes"})

READERS = (
    Reader("AWS::EC2::LaunchTemplate", _template, attributes=_template_attributes),
    Reader("AWS::AutoScaling::AutoScalingGroup", _scaling_group),
    Reader("AWS::AutoScaling::LifecycleHook", _hook),
    Reader("AWS::AutoScaling::ScalingPolicy", _policy),
    Reader(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        _balancer,
        partial=_ATTRIBUTES,
        attributes=_balancer_attributes,
    ),
    Reader(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        _target_group,
        partial=_ATTRIBUTES,
        attributes=_target_group_attributes,
    ),
    Reader("AWS::ElasticLoadBalancingV2::Listener", _listener),
    Reader("AWS::ElasticLoadBalancingV2::ListenerRule", _rule),
)

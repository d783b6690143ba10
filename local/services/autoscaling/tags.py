"""Tags, target groups and metrics of groups."""

from __future__ import annotations

from typing import Any

from local.services.autoscaling import describe
from local.services.autoscaling.model import Group, Store, invalid

#: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html
GROUP_METRICS = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
    "GroupInServiceCapacity",
    "GroupPendingCapacity",
    "GroupStandbyCapacity",
    "GroupTerminatingCapacity",
    "GroupTotalCapacity",
    "WarmPoolDesiredCapacity",
    "WarmPoolWarmedCapacity",
    "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity",
    "WarmPoolTotalCapacity",
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
)


class BelongingOperations:
    """One method an operation; all run under the store's lock."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create_or_update_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        """Set tags; instances that run already keep theirs."""
        for tag in params.get("Tags") or []:
            self._store.group(tag.get("ResourceId")).tags.update(tag_values([tag]))
        return {}

    def delete_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        """Remove tags; an absent one is fine."""
        for tag in params.get("Tags") or []:
            self._store.group(tag.get("ResourceId")).tags.pop(tag["Key"], None)
        return {}

    def describe_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the tags of all groups, filtered."""
        tags = [tag for group in self._store.groups.values() for tag in describe.tags_of(group)]
        names = {
            "auto-scaling-group": "ResourceId",
            "key": "Key",
            "value": "Value",
            "propagate-at-launch": "PropagateAtLaunch",
        }
        for wanted in params.get("Filters") or []:
            if wanted["Name"] not in names:
                raise invalid(f"Filter {wanted['Name']!r}: allowed are {', '.join(names)}")
            field = names[wanted["Name"]]
            values = [str(value).lower() for value in wanted.get("Values") or []]
            tags = [tag for tag in tags if str(tag[field]).lower() in values]
        shown, more = describe.page(tags, params, 50)
        return {"Tags": shown, **more}

    def attach_load_balancer_target_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        """Add target groups; the control loop registers the instances."""
        group = self._store.group(params["AutoScalingGroupName"])
        group.target_groups += [
            arn for arn in params["TargetGroupARNs"] if arn not in group.target_groups
        ]
        return {}

    def detach_load_balancer_target_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        """Take target groups away; the control loop deregisters the instances."""
        group = self._store.group(params["AutoScalingGroupName"])
        gone = set(params["TargetGroupARNs"])
        group.target_groups = [arn for arn in group.target_groups if arn not in gone]
        return {}

    def describe_load_balancer_target_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a group's target groups: Adding until every instance in service is registered."""
        group = self._store.group(params["AutoScalingGroupName"])
        states = [
            {
                "LoadBalancerTargetGroupARN": arn,
                "State": "InService"
                if all(arn in m.target_groups for m in group.active)
                else "Adding",
            }
            for arn in group.target_groups
        ]
        return {"LoadBalancerTargetGroups": states}

    def enable_metrics_collection(self, params: dict[str, Any]) -> dict[str, Any]:
        """Have the named group metrics published each minute, all without names."""
        self._store.group(params["AutoScalingGroupName"]).metrics |= _metrics(params)
        return {}

    def disable_metrics_collection(self, params: dict[str, Any]) -> dict[str, Any]:
        """Stop publishing the named group metrics, all without names."""
        self._store.group(params["AutoScalingGroupName"]).metrics -= _metrics(params)
        return {}


def tag_values(tags: list[dict[str, Any]]) -> dict[str, tuple[str, bool]]:
    """Return tags as the model keeps them: value and whether instances get it."""
    return {
        tag["Key"]: (str(tag.get("Value") or ""), bool(tag.get("PropagateAtLaunch")))
        for tag in tags
    }


def matches(group: Group, filters: list[dict[str, Any]]) -> bool:
    """Say whether a group passes the tag filters of DescribeAutoScalingGroups."""
    values = {key: value for key, (value, _) in group.tags.items()}
    for wanted in filters:
        name, allowed = wanted["Name"], wanted.get("Values") or []
        if name == "tag-key":
            found = set(values) & set(allowed)
        elif name == "tag-value":
            found = set(values.values()) & set(allowed)
        elif name.startswith("tag:"):
            found = {values.get(name.removeprefix("tag:"), "")} & set(allowed)
        else:
            raise invalid(f"Filter {name!r}: allowed are tag-key, tag-value, tag:<key>")
        if not found:
            return False
    return True


def _metrics(params: dict[str, Any]) -> set[str]:
    names = set(params.get("Metrics") or GROUP_METRICS)
    if unknown := names - set(GROUP_METRICS):
        raise invalid(f"Metrics {sorted(unknown)} are unknown; allowed: {', '.join(GROUP_METRICS)}")
    return names

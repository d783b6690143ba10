"""One instance's EC2 side: its record, its process, its place behind load balancers."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from local.hosts import Instances
from local.services.autoscaling.model import (
    LAUNCHING_TRANSITION,
    Activity,
    Group,
    Member,
    Wait,
    identifier,
)
from local.services.autoscaling.sizing import on_spot, pool_of
from local.services.autoscaling.sources import ClientSource, Sources, subnets_of
from local.services.autoscaling.texts import at

#: What EC2 gives an operating system to shut down before the power goes.
SHUTDOWN_GRACE_S = 120.0


class Launches:
    """Makes and ends the instances of groups. Calls AWS: never under the store's lock."""

    def __init__(self, clients: ClientSource, instances: Instances) -> None:
        self._clients = clients
        self._instances = instances
        self._sources = Sources(clients)

    def launch(self, group: Group, activity: Activity, now: float) -> Member:
        """Run one instance from the group's template and start its process.

        Raises: ClientError when EC2 refuses.
        """
        spot = on_spot(group)
        pool = pool_of(group, spot, self._sources.pools(group.settings))
        source = self._sources.resolve(group.settings, pool)
        tags = {key: value for key, (value, propagated) in group.tags.items() if propagated}
        tags["aws:autoscaling:groupName"] = group.name
        request = dict(source.data)
        user_data = base64.b64decode(request.pop("UserData", "")).decode()
        request["TagSpecifications"] = _tagged(request.get("TagSpecifications") or [], tags)
        if spot:
            request["InstanceMarketOptions"] = {"MarketType": "spot"}
        if subnets := subnets_of(group.settings):
            request["SubnetId"] = subnets[len(group.active) % len(subnets)]
        [record] = self._clients.client("ec2").run_instances(
            MinCount=1, MaxCount=1, UserData=user_data, **request
        )["Instances"]
        member = Member(
            instance_id=record["InstanceId"],
            zone=record["Placement"]["AvailabilityZone"],
            instance_type=record["InstanceType"],
            image_id=request.get("ImageId", ""),
            template=source.specification,
            launched_at=now,
            protected=bool(group.settings["NewInstancesProtectedFromScaleIn"]),
            activity=activity,
            spot=spot,
        )
        activity.description = f"Launching a new EC2 instance: {member.instance_id}"
        try:
            self._instances.ensure(
                member.instance_id,
                user_data=user_data,
                tags=tags,
                profile_role=self._role(request.get("IamInstanceProfile")),
            )
        except Exception:
            self.terminate(member.instance_id)
            raise
        return member

    def template(self, group: Group) -> dict[str, str]:
        """Return the launch template specification of the group's next instance."""
        return self._sources.resolve(group.settings).specification

    def terminate(self, instance_id: str) -> None:
        """End an instance: its process is told to, its record ends."""
        self._instances.stop(instance_id, SHUTDOWN_GRACE_S)
        self._clients.client("ec2").terminate_instances(InstanceIds=[instance_id])

    def halt(self, instance_id: str) -> bool:
        """Stop an instance, as EC2's stop does; True once it stands still."""
        self._instances.halt(instance_id, SHUTDOWN_GRACE_S)
        if self._instances.runs(instance_id):
            return False
        self._clients.client("ec2").stop_instances(InstanceIds=[instance_id])
        return True

    def start(self, instance_id: str) -> None:
        """Start a stopped instance. Raises: ClientError when EC2 refuses."""
        self._clients.client("ec2").start_instances(InstanceIds=[instance_id])
        self._instances.start(instance_id)

    def ended(self) -> list[str]:
        """Return the instances whose machine ended by itself since the last call."""
        return self._instances.ended()

    def in_state(self, instance_ids: list[str], *states: str) -> set[str]:
        """Return those whose record EC2 still has in one of the states."""
        pages = (
            self._clients.client("ec2")
            .get_paginator("describe_instances")
            .paginate(
                Filters=[
                    {"Name": "instance-state-name", "Values": list(states)},
                    {"Name": "instance-id", "Values": instance_ids},
                ]
            )
        )
        return {
            instance["InstanceId"]
            for page in pages
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
        }

    def register(self, arn: str, instance_id: str) -> None:
        """Put an instance behind a target group."""
        targets = [{"Id": instance_id}]
        self._clients.client("elbv2").register_targets(TargetGroupArn=arn, Targets=targets)

    def deregister(self, arn: str, instance_id: str) -> None:
        """Take an instance from behind a target group."""
        targets = [{"Id": instance_id}]
        self._clients.client("elbv2").deregister_targets(TargetGroupArn=arn, Targets=targets)

    def tell(self, group: Group, member: Member, wait: Wait) -> None:
        """Notify a hook's target, SQS or SNS, that an instance waits."""
        arn = wait.hook.target_arn
        if not arn:
            return
        launching = wait.hook.transition == LAUNCHING_TRANSITION
        message = {
            "LifecycleHookName": wait.hook.name,
            "AccountId": arn.split(":")[4],
            "RequestId": identifier(),
            "LifecycleTransition": wait.hook.transition,
            "AutoScalingGroupName": group.name,
            "Service": "AWS Auto Scaling",
            "Time": at(wait.deadline - wait.hook.heartbeat_s),
            "EC2InstanceId": member.instance_id,
            "LifecycleActionToken": wait.token,
            "Origin": "EC2" if launching else "AutoScalingGroup",
            "Destination": "AutoScalingGroup" if launching else "EC2",
        }
        if wait.hook.metadata:
            message["NotificationMetadata"] = wait.hook.metadata
        self._publish(arn, json.dumps(message))

    def _publish(self, arn: str, text: str) -> None:
        if arn.split(":")[2] == "sns":
            self._clients.client("sns").publish(TopicArn=arn, Message=text)
            return
        sqs = self._clients.client("sqs")
        url = sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=text)

    def _role(self, profile: Mapping[str, str] | None) -> str | None:
        if not profile:
            return None
        name = profile.get("Name") or profile["Arn"].rsplit("/", 1)[-1]
        found = self._clients.client("iam").get_instance_profile(InstanceProfileName=name)
        roles = found["InstanceProfile"]["Roles"]
        return str(roles[0]["RoleName"]) if roles else None


def _tagged(specifications: list[dict[str, Any]], tags: Mapping[str, str]) -> list[dict[str, Any]]:
    by_type = {s["ResourceType"]: {t["Key"]: t["Value"] for t in s["Tags"]} for s in specifications}
    by_type["instance"] = {**by_type.get("instance", {}), **tags}
    return [
        {"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in values.items()]}
        for kind, values in by_type.items()
    ]

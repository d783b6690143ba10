"""Instances that stand prepared and stopped beside an Auto Scaling group."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from constructs import Construct

from stacks.constructs.boot_outcome import LAUNCHING_HOOK

#: A boot that reached its limit still tells of itself.
MARGIN_S = 120


def warm_pool(
    scope: Construct, group: autoscaling.AutoScalingGroup, *, size: int, boot_limit_s: int
) -> None:
    """Keep `size` stopped instances for a group, and the hook that lets them prepare before.

    The group takes its instances from there first, and the pool is filled up again, whatever the
    desired capacity is. Stopped instances cost their disks alone. The boot script completes the
    hook, also when it has failed: nothing is replaced over and over here, where no breaker is.

    The pool does not follow a deploy. An instance that was prepared before it ends itself when it
    is started, before it takes a job, and the group launches another one; who wants the new version
    prepared ends the stopped instances, and the pool is filled up with it.

    AWS refuses a pool to a group that asks for Spot instances; one with several instance types on
    demand may have it since 2025.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
    https://aws.amazon.com/about-aws/whats-new/2025/11/ec2-auto-scaling-warm-pool-mixed-instances-policies/
    """
    hook = group.add_lifecycle_hook(
        "Prepare",
        lifecycle_hook_name=LAUNCHING_HOOK,
        lifecycle_transition=autoscaling.LifecycleTransition.INSTANCE_LAUNCHING,
        default_result=autoscaling.DefaultResult.CONTINUE,
        heartbeat_timeout=cdk.Duration.seconds(boot_limit_s + MARGIN_S),
    )
    pool = autoscaling.CfnWarmPool(
        scope,
        "WarmPool",
        auto_scaling_group_name=group.auto_scaling_group_name,
        min_size=size,
        max_group_prepared_capacity=size,
        pool_state="Stopped",
    )
    pool.node.add_dependency(hook)  # without it the first instances are stopped half prepared

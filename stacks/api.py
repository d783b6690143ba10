"""The API: its public entry and what it runs on."""

from __future__ import annotations

from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from constructs import Construct

from config import models
from config.contracts.parameters import environment_path
from stacks.constructs.api_instances import ApiInstances
from stacks.constructs.api_tasks import ApiTasks
from stacks.constructs.foundation import Foundation
from stacks.constructs.job_queue import grant_queues
from stacks.constructs.parameters import EnvironmentParameters
from stacks.constructs.platform_stack import Place, PlatformStack
from stacks.constructs.private_network import frozen_group
from stacks.constructs.web_service import WebEntry
from stacks.constructs.worker_fleet import FleetSize

#: Objects that the API uploads, presigns and deletes, by bucket role.
OBJECTS = {"video": "tenants/", "excel": "", "storage": "", "ai": ""}


class ApiStack(PlatformStack):
    """Load balancer and compute (`ec2` or `ecs`), and the address that workers are told."""

    def __init__(
        self,
        scope: Construct,
        *,
        place: Place,
        api: models.Api,
        base: Foundation,
    ) -> None:
        super().__init__(scope, "api", place)
        self._base = base
        on_ec2 = api.compute == "ec2"
        self.entry = WebEntry(
            self,
            "Entry",
            vpc=base.network.vpc,
            security_group=frozen_group(self, "EntryGroup", base.network.firewall.load_balancer),
            domain_name=api.domain_name,
            target_type=elbv2.TargetType.INSTANCE if on_ec2 else elbv2.TargetType.IP,
        )
        role = self._instances(api) if on_ec2 else self._tasks(api)
        grant_queues(role, "api", base.job_queues)
        for bucket, prefix in OBJECTS.items():
            base.objects.grant_read_write(role, bucket, prefix)
        EnvironmentParameters(
            self,
            "WorkersAddress",
            path=environment_path(place.environment, "workers"),
            values={"API_BASE_URL": self.entry.base_url},
        )

    def _instances(self, api: models.Api) -> iam.IRole:
        return ApiInstances(
            self,
            "Instances",
            place=self.place,
            vpc=self._base.network.vpc,
            subnets=self._base.network.compute_subnets,
            security_group=frozen_group(self, "ApiGroup", self._base.network.firewall.api),
            targets=self.entry.targets,
            environment=self._base.api_environment,
            size=FleetSize(
                instance_type=api.instance_type,
                disk_gb=api.disk_gb,
                minimum=api.min_instances,
                maximum=api.max_instances,
            ),
            rollout_pause_s=api.rollout_pause_s,
        ).role

    def _tasks(self, api: models.Api) -> iam.IRole:
        return ApiTasks(
            self,
            "Tasks",
            place=self.place,
            vpc=self._base.network.vpc,
            subnets=self._base.network.compute_subnets,
            public_address=self._base.network.public_compute,
            security_group=frozen_group(self, "ApiGroup", self._base.network.firewall.api),
            targets=self.entry.targets,
            environment=self._base.api_environment,
            cpu=api.task_cpu,
            memory_mb=api.task_memory_mb,
            minimum=api.min_instances,
            maximum=api.max_instances,
        ).role

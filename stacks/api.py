"""The API: its public entry and what it runs on."""

from __future__ import annotations

from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from config import models
from config.contracts.edges import CLOUDFLARE_ADDRESS_HEADER
from config.contracts.parameters import environment_path
from config.contracts.storage_keys import EXCEL_EXPORTS_PREFIX, EXCEL_UPLOADS_PREFIX
from config.model_edge import Edge
from config.settings import Settings
from stacks.constructs.api_instances import ApiInstances
from stacks.constructs.api_service import ApiCompute, ApiProps, release_alarms
from stacks.constructs.api_tasks import ApiTasks
from stacks.constructs.buckets import API_ACTIONS, API_EXPORT_ACTIONS, API_ROSTER_ACTIONS
from stacks.constructs.firewall import frozen_group
from stacks.constructs.foundation import Foundation
from stacks.constructs.job_queue import grant_queues
from stacks.constructs.parameters import EnvironmentParameters
from stacks.constructs.platform_stack import Place, PlatformStack
from stacks.constructs.web_acl import WebAcl
from stacks.constructs.web_service import WebEntry

#: Objects that the API reads, writes, presigns and lists: bucket role, prefix, actions.
OBJECTS = (
    ("video", "tenants/", API_ACTIONS),
    ("excel", EXCEL_UPLOADS_PREFIX, API_ROSTER_ACTIONS),
    ("excel", EXCEL_EXPORTS_PREFIX, API_EXPORT_ACTIONS),
)
TARGETS = {"ec2": elbv2.TargetType.INSTANCE, "ecs": elbv2.TargetType.IP}


class ApiStack(PlatformStack):
    """Load balancer and compute (`ec2` or `ecs`), and the address that workers are told."""

    def __init__(
        self,
        scope: Construct,
        *,
        place: Place,
        settings: Settings,
        base: Foundation,
    ) -> None:
        super().__init__(scope, "api", place)
        self._base = base
        api, edge = settings.api, settings.edge
        self.entry = WebEntry(
            self,
            "Entry",
            vpc=base.network.vpc,
            security_group=frozen_group(self, "EntryGroup", base.network.firewall.load_balancer),
            domain_name=api.domain_name,
            public_name=settings.api_host,
            locked=edge.provider != "none",
            place=place,
            target_type=TARGETS[api.compute],
        )
        if edge.provider == "cloudflare":
            self._web_acl(edge).guard(self.entry.load_balancer)
        self.compute = self._compute(api)
        role = self.compute.role
        grant_queues(role, "api", base.job_queues)
        for bucket, prefix, actions in OBJECTS:
            base.objects.grant(role, bucket, prefix, actions)
        EnvironmentParameters(
            self,
            "WorkersAddress",
            path=environment_path(place.environment, "workers"),
            values={"API_BASE_URL": self.entry.base_url},
        )

    def _web_acl(self, edge: Edge) -> WebAcl:
        """Cloudflare passes on who asks; CloudFront has a web ACL of its own."""
        return WebAcl(
            self,
            "WebAcl",
            place=self.place,
            protects="REGIONAL",
            requests_per_minute=edge.requests_per_minute,
            address_header=CLOUDFLARE_ADDRESS_HEADER,
        )

    def _compute(self, api: models.Api) -> ApiCompute:
        alarms = api.alarms
        props = ApiProps(
            place=self.place,
            vpc=self._base.network.vpc,
            subnets=self._base.network.compute_subnets,
            security_group=frozen_group(self, "ApiGroup", self._base.network.firewall.api),
            targets=self.entry.targets,
            environment=self._base.api_environment,
            minimum=api.min_instances,
            maximum=api.max_instances,
            cpu_target_percent=api.cpu_target_percent,
            release_alarms=release_alarms(
                self,
                place=self.place,
                entry=self.entry.load_balancer,
                targets=self.entry.targets,
                errors_per_minute=alarms.errors_per_minute,
                latency_p95_s=alarms.latency_p95_s,
                unhealthy_minutes=alarms.unhealthy_minutes,
                minimum=api.min_instances,
            ),
        )
        if api.compute == "ec2":
            return ApiInstances(
                self,
                "Instances",
                props=props,
                instance_type=api.instance_type,
                disk_gb=api.disk_gb,
                boot_s=api.boot_s,
                bake_s=api.bake_s,
            )
        return ApiTasks(
            self,
            "Tasks",
            props=props,
            public_address=self._base.network.public_compute,
            cpu=api.task_cpu,
            memory_mb=api.task_memory_mb,
        )

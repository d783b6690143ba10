"""The API on Fargate: one service whose tasks migrate first, then serve and relay."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from config.contracts.names import API_CONTAINER, API_PORT, IMAGES
from stacks.constructs.log_group import log_group
from stacks.constructs.parameters import EnvironmentParameters, SecretValue
from stacks.constructs.platform_stack import Place

MANAGE = ("python", "-m", "worker_images.api.manage")


class ApiTasks(Construct):
    """Cluster, task definition (arm64) and service with at least `minimum` tasks.

    The API and its outbox relay start once the migration container has ended well. A release
    whose tasks never become healthy is rolled back by the circuit breaker. Values come straight
    from Parameter Store and Secrets Manager: the template names them and holds none.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        place: Place,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        public_address: bool,
        security_group: ec2.ISecurityGroup,
        targets: elbv2.ApplicationTargetGroup,
        environment: EnvironmentParameters,
        cpu: int,
        memory_mb: int,
        minimum: int,
        maximum: int,
    ) -> None:
        super().__init__(scope, identifier)
        self.log_group = log_group(self, "Logs", retention_days=place.log_retention_days)
        self._task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=cpu,
            memory_limit_mib=memory_mb,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        self.role = self._task.task_role
        repository = ecr.Repository.from_repository_name(self, "Repository", IMAGES["api"])
        self._image = ecs.ContainerImage.from_ecr_repository(repository, place.image_tag)
        self._secrets = container_secrets(environment)
        self._add_containers(place.image_tag)
        service = ecs.FargateService(
            self,
            "Service",
            cluster=ecs.Cluster(self, "Cluster", vpc=vpc),
            task_definition=self._task,
            vpc_subnets=subnets,
            assign_public_ip=public_address,
            security_groups=[security_group],
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            min_healthy_percent=100,
            max_healthy_percent=200,
            health_check_grace_period=cdk.Duration.seconds(120),
        )
        service.attach_to_application_target_group(targets)
        service.auto_scale_task_count(min_capacity=minimum, max_capacity=maximum)

    def _add_containers(self, release: str) -> None:
        migrate = self._container(
            "migrate", [*MANAGE, "migrate_once", "--release", release], essential=False
        )
        serve = self._container(API_CONTAINER, None)
        serve.add_port_mappings(ecs.PortMapping(container_port=API_PORT))
        relay = self._container(f"{API_CONTAINER}-outbox", [*MANAGE, "relay_outbox"])
        for container in (serve, relay):
            container.add_container_dependencies(
                ecs.ContainerDependency(
                    container=migrate, condition=ecs.ContainerDependencyCondition.SUCCESS
                )
            )
        # The load balancer sends to the default container, which is the first one otherwise.
        self._task.default_container = serve

    def _container(
        self, name: str, command: list[str] | None, *, essential: bool = True
    ) -> ecs.ContainerDefinition:
        return self._task.add_container(
            name,
            container_name=name,
            image=self._image,
            command=command,
            essential=essential,
            secrets=self._secrets,
            stop_timeout=cdk.Duration.seconds(30),
            logging=ecs.LogDrivers.aws_logs(stream_prefix=name, log_group=self.log_group),
        )


def container_secrets(environment: EnvironmentParameters) -> dict[str, ecs.Secret]:
    """Return where ECS reads each variable: a parameter, or the secret that it refers to."""
    found: dict[str, ecs.Secret] = {}
    for key, value in environment.values.items():
        if isinstance(value, SecretValue):
            found[key] = ecs.Secret.from_secrets_manager(value.secret, value.json_key)
        else:
            found[key] = ecs.Secret.from_ssm_parameter(environment.parameters[key])
    return found

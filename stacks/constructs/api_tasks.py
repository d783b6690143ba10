"""The API on Fargate: one service whose tasks migrate first, then serve and relay."""

from __future__ import annotations

import hashlib

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.contracts.names import API_CONTAINER, API_PORT, IMAGES
from stacks.constructs.acknowledge import NO_RESOURCE, accept_patterns, acknowledge
from stacks.constructs.api_service import MINUTE, ApiProps
from stacks.constructs.log_group import log_group
from stacks.constructs.parameters import (
    EnvironmentParameters,
    SecretValue,
    grant_secret_value,
)

MANAGE = ("python", "-m", "worker_images.api.manage")
#: Image pull and migration, before the load balancer's opinion counts.
GRACE_S = 300
#: The Dockerfile's own check is nothing to ECS.
HEALTHY = (
    "import urllib.request; "
    f"urllib.request.urlopen('http://127.0.0.1:{API_PORT}/healthz', timeout=3)"
)


class ApiTasks(Construct):
    """Cluster, task definition (arm64), service and roles of the API.

    The API and its outbox relay start once the migration container has ended well. A release whose
    tasks never become healthy, or during which a release alarm goes off, is rolled back by ECS.
    Values come straight from Parameter Store and Secrets Manager, read by the execution role: the
    template names them and holds none. Nobody gets a shell; only /tmp is written to.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        props: ApiProps,
        public_address: bool,
        cpu: int,
        memory_mb: int,
    ) -> None:
        super().__init__(scope, identifier)
        self.release_alarms = props.release_alarms
        self.log_group = log_group(self, "Logs", retention_days=props.place.log_retention_days)
        self._repository = ecr.Repository.from_repository_name(self, "Repository", IMAGES["api"])
        self._execution = self._execution_role(props.environment)
        self._task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=cpu,
            memory_limit_mib=memory_mb,
            execution_role=self._execution.without_policy_updates(),
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        acknowledge(self._task, "ECS2", "It is a digest of values, so that a changed one deploys")
        self._task.add_volume(name="tmp")
        self.role = self._task.task_role
        # Its code reads the password again when a rotation has changed it.
        grant_secret_value(self.role, props.environment.secret("DB_PASSWORD"))
        self._image = ecs.ContainerImage.from_ecr_repository(
            self._repository, props.place.image_tag
        )
        self._secrets = container_secrets(props.environment)
        self._values = {"DEPLOYED_VALUES": values_digest(props.environment)}
        self._add_containers(props.place.image_tag)
        self._serve(props, public_address=public_address)

    def _execution_role(self, environment: EnvironmentParameters) -> iam.Role:
        """Pull, log, and read the parameters and secrets named; CDK's own grants would add more."""
        role = iam.Role(
            self,
            "ExecutionRole",
            description="Starts the API's tasks",
            assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
        )
        self._repository.grant_pull(role)
        accept_patterns(role, arns=["*"], reason=NO_RESOURCE)
        self.log_group.grant_write(role)
        environment.grant_single(role)
        return role

    def _serve(self, props: ApiProps, *, public_address: bool) -> None:
        cluster = ecs.Cluster(self, "Cluster", vpc=props.vpc)
        acknowledge(
            cluster,
            "ECS4",
            "One service, whose CPU and memory come for nothing; the load balancer counts what it "
            "answers, and the insights' metrics would cost more than the alarms on them",
        )
        service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster,
            task_definition=self._task,
            vpc_subnets=props.subnets,
            assign_public_ip=public_address,
            security_groups=[props.security_group],
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            deployment_alarms=ecs.DeploymentAlarmConfig(
                alarm_names=[each.alarm_name for each in props.release_alarms],
                behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM,
            ),
            enable_execute_command=False,
            min_healthy_percent=100,
            max_healthy_percent=200,
            health_check_grace_period=cdk.Duration.seconds(GRACE_S),
        )
        service.node.add_dependency(self._execution)  # permissions before the first task
        service.attach_to_application_target_group(props.targets)
        tasks = service.auto_scale_task_count(
            min_capacity=props.minimum, max_capacity=props.maximum
        )
        tasks.scale_on_cpu_utilization("Cpu", target_utilization_percent=props.cpu_target_percent)
        self.cpu = service.metric_cpu_utilization(period=MINUTE)

    def _add_containers(self, release: str) -> None:
        migrate = self._container(
            "migrate", [*MANAGE, "migrate_once", "--release", release], essential=False
        )
        serve = self._container(
            API_CONTAINER,
            None,
            health_check=ecs.HealthCheck(
                command=["CMD", "python", "-c", HEALTHY],
                interval=cdk.Duration.seconds(30),
                start_period=cdk.Duration.seconds(60),
            ),
        )
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
        self,
        name: str,
        command: list[str] | None,
        *,
        essential: bool = True,
        health_check: ecs.HealthCheck | None = None,
    ) -> ecs.ContainerDefinition:
        container = self._task.add_container(
            name,
            container_name=name,
            image=self._image,
            command=command,
            essential=essential,
            environment=self._values,
            secrets=self._secrets,
            health_check=health_check,
            readonly_root_filesystem=True,
            stop_timeout=cdk.Duration.seconds(30),
            logging=ecs.LogDrivers.aws_logs(stream_prefix=name, log_group=self.log_group),
        )
        container.add_mount_points(
            ecs.MountPoint(container_path="/tmp", source_volume="tmp", read_only=False)  # noqa: S108 - the container's
        )
        return container


def values_digest(environment: EnvironmentParameters) -> str:
    """Return 12 hex digits of the values known at synth: another one starts new tasks.

    ECS reads values when a task starts, and a changed parameter alone starts none.
    """
    plain = sorted(
        f"{key}={value}"
        for key, value in environment.values.items()
        if isinstance(value, str) and not cdk.Token.is_unresolved(value)
    )
    return hashlib.sha256("\n".join(plain).encode()).hexdigest()[:12]


def container_secrets(environment: EnvironmentParameters) -> dict[str, ecs.Secret]:
    """Return where ECS reads each variable: a parameter, or the secret that it refers to."""
    found: dict[str, ecs.Secret] = {}
    for key, value in environment.values.items():
        if isinstance(value, SecretValue):
            found[key] = ecs.Secret.from_secrets_manager(value.secret, value.json_key)
        else:
            found[key] = ecs.Secret.from_ssm_parameter(environment.parameters[key])
    return found

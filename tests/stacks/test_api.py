"""The API's entry and what it runs on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from config.settings import load_settings
from tests.conftest import IMAGE_TAG, Templates, synthesize
from tests.stacks.test_variants import varied
from tests.templates import (
    Template,
    only,
    properties,
    resources,
    text,
    user_data,
)


def duration_s(text: str) -> float:
    return TypeAdapter(timedelta).validate_python(text).total_seconds()


@pytest.fixture
def dev_task(assemblies) -> Template:  # type: ignore[no-untyped-def]
    return only(assemblies("dev")["api"], "AWS::ECS::TaskDefinition")


def test_a_target_is_healthy_while_healthz_answers(templates: Templates) -> None:
    targets = only(templates["api"], "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert targets["HealthCheckPath"] == "/healthz"
    assert targets["Matcher"] == {"HttpCode": "200"}
    assert (targets["Port"], targets["Protocol"]) == (8000, "HTTP")


def listeners_of(template: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the load balancer's listeners by port."""
    found = properties(template, "AWS::ElasticLoadBalancingV2::Listener")
    return {listener["Port"]: listener for listener in found}


def test_without_a_name_the_load_balancer_speaks_plain_http(local: Templates) -> None:
    listeners = listeners_of(local["api"])
    assert set(listeners) == {80}
    assert listeners[80]["DefaultActions"][0]["Type"] == "forward"


def test_a_name_without_an_edge_is_served_on_443_and_80_leads_there(tmp_path: Path) -> None:
    settings = varied("prod", edge={"provider": "none", "domain_name": None})
    template = synthesize(settings, tmp_path)["api"]
    listeners = listeners_of(template)
    domain = settings.api.domain_name
    assert only(template, "AWS::CertificateManager::Certificate")["DomainName"] == domain
    assert set(listeners) == {80, 443}
    assert listeners[443]["DefaultActions"][0]["Type"] == "forward"
    redirect = listeners[80]["DefaultActions"][0]["RedirectConfig"]
    assert (redirect["Protocol"], redirect["Port"]) == ("HTTPS", "443")
    assert redirect["StatusCode"] == "HTTP_301"
    assert listeners[443]["Certificates"]


def test_workers_are_told_the_public_address(templates: Templates, environment: str) -> None:
    [parameter] = properties(templates["api"], "AWS::SSM::Parameter")
    domain = load_settings(environment).api_host
    assert parameter["Name"].endswith("/workers/env/API_BASE_URL")
    expected = f"https://{domain}" if domain else "http://<"
    assert text(parameter["Value"]).startswith(expected)


@pytest.mark.parametrize("name", ["local", "staging", "prod"])
def test_instances_roll_one_by_one_and_say_themselves_how_it_went(name, assemblies) -> None:  # type: ignore[no-untyped-def]
    template = assemblies(name)["api"]
    api = load_settings(name).api
    [(group_id, group)] = resources(template, "AWS::AutoScaling::AutoScalingGroup").items()
    rolling = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert rolling["MaxBatchSize"] == 1
    assert rolling["MinInstancesInService"] == api.min_instances
    assert rolling["WaitOnResourceSignals"] is True
    assert duration_s(rolling["PauseTime"]) > api.boot_s + api.bake_s
    assert {"HealthCheck", "ReplaceUnhealthy", "AlarmNotification"} <= set(
        rolling["SuspendProcesses"]
    )
    signal = group["CreationPolicy"]["ResourceSignal"]
    assert signal["Count"] == api.min_instances
    assert duration_s(signal["Timeout"]) > api.boot_s + api.bake_s  # a new group bakes too
    assert group["Properties"]["HealthCheckType"] == "ELB"
    assert group["Properties"]["HealthCheckGracePeriod"] == api.boot_s
    assert len(group["Properties"]["TargetGroupARNs"]) == 1
    assert f"--logical-resource-id {group_id} " in user_data(template).replace("\\\n", " ")


@pytest.mark.parametrize("name", ["local", "prod"])
def test_no_instance_boots_before_there_is_a_listener_to_be_healthy_behind(  # type: ignore[no-untyped-def]
    name, assemblies
) -> None:
    template = assemblies(name)["api"]
    [group] = resources(template, "AWS::AutoScaling::AutoScalingGroup").values()
    kinds = {template["Resources"][needed]["Type"] for needed in group["DependsOn"]}
    assert kinds & {
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::ListenerRule",
    }
    assert "AWS::IAM::Policy" in kinds


def test_instances_watch_exactly_the_release_alarms(prod: Templates) -> None:
    alarms = resources(prod["api"], "AWS::CloudWatch::Alarm")
    watched = user_data(prod["api"]).partition("--alarm-names ")[2].partition(" --state")[0]
    assert set(watched.split()) == {f"<{name}>" for name in alarms}


def test_a_release_is_watched_for_errors_latency_and_unhealthy_targets(
    templates: Templates, environment: str
) -> None:
    limits = load_settings(environment).api.alarms
    found = {
        alarm["MetricName"]: (alarm["Threshold"], alarm["EvaluationPeriods"])
        for alarm in properties(templates["api"], "AWS::CloudWatch::Alarm")
    }
    assert found == {
        "HTTPCode_Target_5XX_Count": (limits.errors_per_minute, 2),
        "HTTPCode_ELB_5XX_Count": (limits.errors_per_minute, 2),
        "TargetResponseTime": (limits.latency_p95_s, 2),
        "HealthyHostCount": (
            load_settings(environment).api.min_instances,
            limits.unhealthy_minutes,
        ),
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("prod", "AWS::AutoScaling::ScalingPolicy"),
        ("dev", "AWS::ApplicationAutoScaling::ScalingPolicy"),
    ],
)
def test_the_api_follows_its_cpu_use(name, kind, assemblies) -> None:  # type: ignore[no-untyped-def]
    policy = only(assemblies(name)["api"], kind)
    [tracking] = [value for key, value in policy.items() if key.startswith("TargetTracking")]
    assert tracking["TargetValue"] == load_settings(name).api.cpu_target_percent == 70
    metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert metric in {"ASGAverageCPUUtilization", "ECSServiceAverageCPUUtilization"}


def test_instances_migrate_before_they_serve(prod: Templates) -> None:
    script = user_data(prod["api"])
    steps = [f"migrate_once --release {IMAGE_TAG}", "step serve\nserve", "step relay\nrelay"]
    at = [script.index(step) for step in steps]
    assert at == sorted(at)


def test_tasks_serve_once_the_migration_has_succeeded(dev_task: Template) -> None:
    containers = {container["Name"]: container for container in dev_task["ContainerDefinitions"]}
    assert set(containers) == {"migrate", "academy-api", "academy-api-outbox"}
    assert containers["migrate"]["Essential"] is False
    assert containers["migrate"]["Command"][-2:] == ["--release", IMAGE_TAG]
    for name in ("academy-api", "academy-api-outbox"):
        assert containers[name]["DependsOn"] == [
            {"Condition": "SUCCESS", "ContainerName": "migrate"}
        ]
    assert dev_task["RuntimePlatform"]["CpuArchitecture"] == "ARM64"


def test_tasks_write_to_tmp_alone_and_only_the_api_is_checked(dev_task: Template) -> None:
    containers = dev_task["ContainerDefinitions"]
    assert all(container["ReadonlyRootFilesystem"] for container in containers)
    for container in containers:
        mounts = [(m["ContainerPath"], m["ReadOnly"]) for m in container["MountPoints"]]
        assert mounts == [("/tmp", False)]
    checked = [container["Name"] for container in containers if "HealthCheck" in container]
    assert checked == ["academy-api"]


def test_a_release_of_tasks_is_rolled_back_by_health_and_by_alarms(assemblies) -> None:  # type: ignore[no-untyped-def]
    template = assemblies("dev")["api"]
    service = only(template, "AWS::ECS::Service")
    deployment = service["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert deployment["MinimumHealthyPercent"] == 100
    alarms = deployment["Alarms"]
    assert (alarms["Enable"], alarms["Rollback"]) == (True, True)
    watched = {name["Ref"] for name in alarms["AlarmNames"]}
    assert watched == set(resources(template, "AWS::CloudWatch::Alarm"))
    assert service["EnableExecuteCommand"] is False
    [balanced] = service["LoadBalancers"]
    assert (balanced["ContainerName"], balanced["ContainerPort"]) == ("academy-api", 8000)


def test_who_starts_tasks_reads_their_parameters_and_secrets_and_nothing_else(assemblies) -> None:  # type: ignore[no-untyped-def]
    template = assemblies("dev")["api"]
    [role] = [name for name in resources(template, "AWS::IAM::Role") if "ExecutionRole" in name]
    [policy] = [
        found
        for found in properties(template, "AWS::IAM::Policy")
        if {"Ref": role} in found["Roles"]
    ]
    granted: set[str] = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        granted |= set(actions if isinstance(actions, list) else [actions])
    assert granted == {
        *("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability"),
        *("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("ssm:GetParameters", "secretsmanager:GetSecretValue"),
    }


def test_a_changed_value_starts_new_tasks(tmp_path: Path) -> None:
    def given(host: str) -> str:
        settings = varied("dev", api={"allowed_hosts": [host]})
        template = synthesize(settings, tmp_path / host)["api"]
        [container, *_] = only(template, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
        return str(container["Environment"])

    assert given("one.example.com") != given("two.example.com")

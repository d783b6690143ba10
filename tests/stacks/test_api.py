"""The API's entry and what it runs on."""

from __future__ import annotations

import pytest

from config.settings import load_settings
from tests.conftest import IMAGE_TAG, Templates
from tests.templates import only, properties, resources, text, user_data


def test_a_target_is_healthy_while_healthz_answers(templates: Templates) -> None:
    targets = only(templates["api"], "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert targets["HealthCheckPath"] == "/healthz"
    assert targets["Matcher"] == {"HttpCode": "200"}
    assert (targets["Port"], targets["Protocol"]) == (8000, "HTTP")


def test_outside_local_80_redirects_to_443_with_a_certificate(
    templates: Templates, environment: str
) -> None:
    domain = load_settings(environment).api.domain_name
    found = properties(templates["api"], "AWS::ElasticLoadBalancingV2::Listener")
    listeners = {listener["Port"]: listener for listener in found}
    if domain is None:
        assert environment == "local"
        assert {80} == set(listeners)
        assert listeners[80]["DefaultActions"][0]["Type"] == "forward"
        return
    assert only(templates["api"], "AWS::CertificateManager::Certificate")["DomainName"] == domain
    assert set(listeners) == {80, 443}
    redirect = listeners[80]["DefaultActions"][0]["RedirectConfig"]
    assert (redirect["Protocol"], redirect["Port"]) == ("HTTPS", "443")
    assert redirect["StatusCode"] == "HTTP_301"
    assert listeners[443]["Certificates"]


def test_workers_are_told_the_public_address(templates: Templates, environment: str) -> None:
    [parameter] = properties(templates["api"], "AWS::SSM::Parameter")
    domain = load_settings(environment).api.domain_name
    assert parameter["Name"].endswith("/workers/env/API_BASE_URL")
    expected = f"https://{domain}" if domain else "http://<"
    assert text(parameter["Value"]).startswith(expected)


@pytest.mark.parametrize("name", ["local", "staging", "prod"])
def test_instances_roll_one_by_one_behind_the_target_group(name, assemblies) -> None:  # type: ignore[no-untyped-def]
    template = assemblies(name)["api"]
    api = load_settings(name).api
    [group] = resources(template, "AWS::AutoScaling::AutoScalingGroup").values()
    rolling = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert rolling["MaxBatchSize"] == 1
    assert rolling["MinInstancesInService"] == api.min_instances
    assert group["Properties"]["HealthCheckType"] == "ELB"
    assert len(group["Properties"]["TargetGroupARNs"]) == 1


def test_instances_migrate_before_they_serve(prod: Templates) -> None:
    script = user_data(prod["api"])
    migrate = script.index(f"migrate_once --release {IMAGE_TAG}")
    serve = script.index("--name academy-api -p 8000:8000")
    relay = script.index("relay_outbox")
    assert migrate < serve < relay


def test_tasks_serve_once_the_migration_has_succeeded(assemblies) -> None:  # type: ignore[no-untyped-def]
    template = assemblies("dev")["api"]
    task = only(template, "AWS::ECS::TaskDefinition")
    containers = {container["Name"]: container for container in task["ContainerDefinitions"]}
    assert set(containers) == {"migrate", "academy-api", "academy-api-outbox"}
    assert containers["migrate"]["Essential"] is False
    assert containers["migrate"]["Command"][-2:] == ["--release", IMAGE_TAG]
    for name in ("academy-api", "academy-api-outbox"):
        assert containers[name]["DependsOn"] == [
            {"Condition": "SUCCESS", "ContainerName": "migrate"}
        ]
    assert task["RuntimePlatform"]["CpuArchitecture"] == "ARM64"


def test_a_release_of_tasks_that_never_gets_healthy_is_rolled_back(assemblies) -> None:  # type: ignore[no-untyped-def]
    service = only(assemblies("dev")["api"], "AWS::ECS::Service")
    breaker = service["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    assert breaker == {"Enable": True, "Rollback": True}
    assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 100
    [balanced] = service["LoadBalancers"]
    assert (balanced["ContainerName"], balanced["ContainerPort"]) == ("academy-api", 8000)

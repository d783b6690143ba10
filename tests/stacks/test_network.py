"""Who can reach what."""

from __future__ import annotations

from typing import Any

from config.settings import load_settings
from tests.conftest import Templates
from tests.templates import properties, resources, text


def rules(templates: Templates) -> list[tuple[str, dict[str, Any]]]:
    """Return every ingress rule with the group that it opens."""
    found = []
    for template in templates.values():
        for name, group in resources(template, "AWS::EC2::SecurityGroup").items():
            for rule in group["Properties"].get("SecurityGroupIngress", []):
                found.append((name, rule))
        for rule in properties(template, "AWS::EC2::SecurityGroupIngress"):
            found.append((text(rule["GroupId"]), rule))
    return found


def sources_of(templates: Templates, group: str) -> dict[str, int]:
    """Return who reaches a group, by the source's text, and on which port."""
    return {
        text(rule.get("SourceSecurityGroupId", rule.get("CidrIp"))): rule["FromPort"]
        for name, rule in rules(templates)
        if group in name
    }


def test_only_api_and_workers_reach_database_and_redis(templates: Templates) -> None:
    for group, port in (("FirewallDatabase", 5432), ("FirewallCache", 6379)):
        sources = sources_of(templates, group)
        assert set(sources.values()) == {port}
        assert len(sources) == 2
        assert any("FirewallApi" in source for source in sources)
        assert any("FirewallWorkers" in source for source in sources)


def test_only_the_load_balancer_reaches_the_api(templates: Templates) -> None:
    sources = sources_of(templates, "FirewallApi")
    assert list(sources.values()) == [8000]
    assert "FirewallLoadBalancer" in next(iter(sources))


def test_nobody_reaches_the_workers(templates: Templates) -> None:
    assert sources_of(templates, "FirewallWorkers") == {}


def test_port_22_is_open_nowhere(templates: Templates) -> None:
    for name, rule in rules(templates):
        assert rule["IpProtocol"] != "-1", f"{name} opens every port"
        assert not rule["FromPort"] <= 22 <= rule["ToPort"], f"{name} opens port 22"


def test_the_world_reaches_the_load_balancer_alone(templates: Templates, environment: str) -> None:
    open_to_all = {
        (name, rule["FromPort"])
        for name, rule in rules(templates)
        if rule.get("CidrIp") == "0.0.0.0/0"
    }
    domain = load_settings(environment).api.domain_name
    assert {port for _, port in open_to_all} == ({80, 443} if domain else {80})
    assert all("FirewallLoadBalancer" in name for name, _ in open_to_all)


def test_zones_are_those_of_the_settings(templates: Templates, environment: str) -> None:
    zones = {
        subnet["AvailabilityZone"]
        for subnet in properties(templates["network"], "AWS::EC2::Subnet")
    }
    assert zones == set(load_settings(environment).network.availability_zones)


def test_nat_is_what_the_settings_say(templates: Templates, environment: str) -> None:
    nat = load_settings(environment).network.nat
    network = templates["network"]
    assert len(properties(network, "AWS::EC2::NatGateway")) == 0
    instances = properties(network, "AWS::EC2::Instance")
    assert len(instances) == (2 if nat == "instance" else 0)
    # 512 MB are too few for the dnf that sets the NAT up.
    assert all(not instance["InstanceType"].endswith(".nano") for instance in instances)


def test_s3_traffic_takes_the_gateway_endpoint(templates: Templates) -> None:
    endpoints = properties(templates["network"], "AWS::EC2::VPCEndpoint")
    assert [endpoint["VpcEndpointType"] for endpoint in endpoints] == ["Gateway"]

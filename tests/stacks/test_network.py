"""Who can reach what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.settings import load_settings
from tests.conftest import Templates, synthesize
from tests.stacks.test_variants import varied
from tests.templates import only, properties, resources, statements, text


def rules(templates: Templates, way: str = "Ingress") -> list[tuple[str, dict[str, Any]]]:
    """Return every rule of a way, `Ingress` or `Egress`, with the group that it opens."""
    found = []
    for template in templates.values():
        for name, group in resources(template, "AWS::EC2::SecurityGroup").items():
            for rule in group["Properties"].get(f"SecurityGroup{way}", []):
                found.append((name, rule))
        for rule in properties(template, f"AWS::EC2::SecurityGroup{way}"):
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


def test_the_world_reaches_the_load_balancer_alone_and_only_without_an_edge(
    templates: Templates, environment: str
) -> None:
    open_to_all = {
        (name, rule["FromPort"])
        for name, rule in rules(templates)
        if rule.get("CidrIp") == "0.0.0.0/0"
    }
    settings = load_settings(environment)
    if settings.edge.provider != "none":
        assert open_to_all == set()
        return
    assert {port for _, port in open_to_all} == ({80, 443} if settings.api.domain_name else {80})
    assert all("FirewallLoadBalancer" in name for name, _ in open_to_all)


def test_zones_are_those_of_the_settings(templates: Templates, environment: str) -> None:
    zones = {
        subnet["AvailabilityZone"]
        for subnet in properties(templates["network"], "AWS::EC2::Subnet")
    }
    assert zones == set(load_settings(environment).network.availability_zones)


def test_api_and_workers_leave_by_the_ports_that_they_need(
    templates: Templates, environment: str
) -> None:
    plain = load_settings(environment).api.domain_name is None
    for group in ("FirewallApi", "FirewallWorkers"):
        found = {
            (rule["FromPort"], rule["ToPort"], peer(rule))
            for name, rule in rules(templates, "Egress")
            if group in name
        }
        assert found == {
            (443, 443, "0.0.0.0/0"),
            (5432, 5432, "FirewallDatabase"),
            (6379, 6379, "FirewallCache"),
            # Only there is the load balancer without a certificate.
            *({(80, 80, "0.0.0.0/0")} if plain else ()),
        }


def test_stores_and_endpoints_begin_no_connection(templates: Templates) -> None:
    for name, rule in rules(templates, "Egress"):
        if "FirewallDatabase" in name or "FirewallCache" in name:
            assert rule["CidrIp"] == "255.255.255.255/32", name


def peer(rule: dict[str, Any]) -> str:
    """Return whom an egress rule leads to: an address range, or the group's role."""
    if "CidrIp" in rule:
        return str(rule["CidrIp"])
    group = text(rule["DestinationSecurityGroupId"])
    return next(part for part in ("FirewallDatabase", "FirewallCache") if part in group)


def test_nat_is_what_the_settings_say(templates: Templates, environment: str) -> None:
    network = load_settings(environment).network
    template = templates["network"]
    assert len(properties(template, "AWS::EC2::NatGateway")) == 0
    instances = properties(template, "AWS::EC2::Instance")
    assert len(instances) == (network.nat_zones if network.nat == "instance" else 0)
    # 512 MB are too few for the dnf that sets the NAT up.
    assert all(not instance["InstanceType"].endswith(".nano") for instance in instances)


def test_a_nat_is_replaced_by_one_that_forwards_and_one_at_a_time(tmp_path: Path) -> None:
    settings = varied("prod", network={"nat": "instance", "nat_zones": 2})
    network = synthesize(settings, tmp_path)["network"]
    nats = resources(network, "AWS::EC2::Instance")
    first, second = sorted(nats)
    assert first in nats[second]["DependsOn"]
    for name, nat in nats.items():
        assert nat["CreationPolicy"]["ResourceSignal"]["Count"] == 1
        script = text(nat["Properties"]["UserData"])
        assert f"--resource {name} " in script
        assert script.index("trap exitTrap EXIT") < script.index("set -e") < script.index("yum")
        # The signal leaves through the public subnet's own route.
        assert any("PublicSubnet" in need and "Route" in need for need in nat["DependsOn"])
        [interface] = nat["Properties"]["NetworkInterfaces"]
        assert interface["AssociatePublicIpAddress"]
        assert nat["Properties"]["MetadataOptions"]["HttpTokens"] == "required"
        [disk] = nat["Properties"]["BlockDeviceMappings"]
        assert disk["Ebs"]["Encrypted"]


def test_a_nat_takes_from_api_and_workers_what_they_may_send(tmp_path: Path) -> None:
    store = {"host": "pg.example.com", "port": 6432, "credentials_secret_name": "academy/db"}
    cache = {"host": "redis.example.com", "port": 6380, "credentials_secret_name": None}
    settings = varied(
        "prod", network={"nat": "instance"}, database={"external": store}, redis={"external": cache}
    )
    templates = synthesize(settings, tmp_path)
    taken = {
        (user, rule["FromPort"])
        for name, rule in rules(templates)
        for user in ("FirewallApi", "FirewallWorkers")
        if "NatSecurityGroup" in name and user in text(rule["SourceSecurityGroupId"])
    }
    sent = {
        rule["FromPort"] for name, rule in rules(templates, "Egress") if "NatSecurityGroup" in name
    }
    assert sent == {443, 6380, 6432}
    assert taken == {(user, port) for user in ("FirewallApi", "FirewallWorkers") for port in sent}
    leaving = {
        (name, rule["FromPort"])
        for name, rule in rules(templates, "Egress")
        if rule.get("CidrIp") == "0.0.0.0/0" and ("FirewallApi" in name or "Workers" in name)
    }
    assert {port for _, port in leaving} == sent


def test_only_subnets_of_instances_without_a_nat_give_public_addresses(
    templates: Templates, environment: str
) -> None:
    for name, subnet in resources(templates["network"], "AWS::EC2::Subnet").items():
        gives = "PublicSubnet" in name and load_settings(environment).network.nat == "none"
        assert subnet["Properties"]["MapPublicIpOnLaunch"] is gives, name


def test_a_third_zone_moves_no_subnet(tmp_path: Path) -> None:
    zones = ["ap-northeast-2a", "ap-northeast-2c", "ap-northeast-2d"]
    ranges = []
    for count in (2, 3):
        settings = varied("prod", network={"nat": "instance", "availability_zones": zones[:count]})
        network = synthesize(settings, tmp_path / str(count))["network"]
        subnets = resources(network, "AWS::EC2::Subnet")
        ranges.append({name: it["Properties"]["CidrBlock"] for name, it in subnets.items()})
    two, three = ranges
    assert len(three) == 9
    assert two.items() <= three.items()


def test_every_connection_is_logged_as_long_as_everything(
    templates: Templates, environment: str
) -> None:
    network = templates["network"]
    flow = only(network, "AWS::EC2::FlowLog")
    assert flow["TrafficType"] == "ALL"
    [(name, group)] = resources(network, "AWS::Logs::LogGroup").items()
    assert flow["LogGroupName"] == {"Ref": name}
    days = load_settings(environment).log_retention_days
    assert group["Properties"]["RetentionInDays"] == days
    [statement] = statements(network)
    assert statement["Resource"] == {"Fn::GetAtt": [name, "Arn"]}


def test_s3_traffic_takes_the_gateway_endpoint(templates: Templates) -> None:
    endpoints = properties(templates["network"], "AWS::EC2::VPCEndpoint")
    assert [endpoint["VpcEndpointType"] for endpoint in endpoints] == ["Gateway"]

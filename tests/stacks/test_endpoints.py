"""With interface endpoints, instances reach every AWS API that they call, and pay for no other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.checks import problems
from config.models import Settings
from tests.conftest import Templates, synthesize
from tests.stacks.test_network import rules, sources_of
from tests.stacks.test_variants import varied
from tests.templates import properties, resources, text

#: Which endpoints an IAM prefix is called through; S3 goes through its gateway.
#: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
SERVICES = {
    "autoscaling": {"autoscaling"},
    "cloudformation": {"cloudformation"},
    "cloudwatch": {"monitoring"},
    "ecr": {"ecr.api", "ecr.dkr"},
    "elasticloadbalancing": {"elasticloadbalancing"},
    "logs": {"logs"},
    "s3": set(),
    "secretsmanager": {"secretsmanager"},
    "sqs": {"sqs"},
    "ssm": {"ssm"},
    "ssmmessages": {"ssmmessages"},
}
NATS = ("none", "instance", "gateway")
INSIDE = {"ec2.amazonaws.com", "ecs-tasks.amazonaws.com"}


def granted_inside(templates: Templates) -> Iterator[str]:
    """Yield the actions granted to roles of instances and tasks, managed policies refused."""
    for template in templates.values():
        for name, role in resources(template, "AWS::IAM::Role").items():
            trusted = text(role["Properties"]["AssumeRolePolicyDocument"])
            if not any(service in trusted for service in INSIDE):
                continue
            assert "ManagedPolicyArns" not in role["Properties"], f"{name}: read what it grants"
            for policy in properties(template, "AWS::IAM::Policy"):
                if {"Ref": name} in policy["Roles"]:
                    for statement in policy["PolicyDocument"]["Statement"]:
                        actions = statement["Action"]
                        yield from actions if isinstance(actions, list) else [actions]


def endpoints(templates: Templates) -> set[str]:
    """Return the interface endpoints by their short name."""
    found = properties(templates["network"], "AWS::EC2::VPCEndpoint")
    prefix = "com.amazonaws.ap-northeast-2."
    return {
        text(endpoint["ServiceName"]).removeprefix(prefix)
        for endpoint in found
        if endpoint["VpcEndpointType"] == "Interface"
    }


def isolated(compute: str) -> Settings:
    """Return dev with its compute cut off from the internet, and so from whoever sends texts."""
    network = {"nat": "none", "interface_endpoints": True}
    return varied("dev", network=network, api={"compute": compute}, workers={"messaging": None})


@pytest.mark.parametrize("compute", ["ec2", "ecs"])
def test_there_is_an_endpoint_for_what_is_called_and_for_nothing_else(
    tmp_path: Path, compute: str
) -> None:
    templates = synthesize(isolated(compute), tmp_path)
    needed = {action.partition(":")[0] for action in granted_inside(templates)}
    assert endpoints(templates) == set().union(*(SERVICES[prefix] for prefix in needed))


def test_without_a_nat_nothing_leads_out_but_what_leads_to_aws(tmp_path: Path) -> None:
    templates = synthesize(isolated("ec2"), tmp_path)
    network = templates["network"]
    routes = properties(network, "AWS::EC2::Route")
    assert all("PublicSubnet" in text(route["RouteTableId"]) for route in routes)
    for stack in ("api", "video", "ai"):
        [group] = properties(templates[stack], "AWS::AutoScaling::AutoScalingGroup")
        assert all("PrivateSubnet" in text(subnet) for subnet in group["VPCZoneIdentifier"])
    [gateway] = [
        endpoint
        for endpoint in properties(network, "AWS::EC2::VPCEndpoint")
        if endpoint["VpcEndpointType"] == "Gateway"
    ]
    tables = {text(table) for table in gateway["RouteTableIds"]}
    assert sum("PrivateSubnet" in table for table in tables) == 2


def test_api_and_workers_alone_reach_the_endpoints_for_this_account_alone(tmp_path: Path) -> None:
    templates = synthesize(isolated("ecs"), tmp_path)
    sources = sources_of(templates, "FirewallEndpoints")
    assert set(sources.values()) == {443}
    assert ["FirewallApi" in s or "FirewallWorkers" in s for s in sources] == [True, True]
    for endpoint in properties(templates["network"], "AWS::EC2::VPCEndpoint"):
        if endpoint["VpcEndpointType"] == "Interface":
            assert endpoint["PrivateDnsEnabled"]
            assert "FirewallEndpoints" in text(endpoint["SecurityGroupIds"][0])
            [statement] = endpoint["PolicyDocument"]["Statement"]
            account = statement["Condition"]["StringEquals"]["aws:PrincipalAccount"]
            assert account == {"Ref": "AWS::AccountId"}


@pytest.mark.parametrize("zones", [2, 3])
@pytest.mark.parametrize(("nat", "with_endpoints"), list(itertools.product(NATS, [False, True])))
def test_every_way_out_can_be_chosen(
    tmp_path: Path, nat: str, with_endpoints: bool, zones: int
) -> None:
    names = [f"ap-northeast-2{letter}" for letter in "acd"[:zones]]
    cut_off = nat == "none" and with_endpoints
    settings = varied(
        "dev",
        workers={"messaging": None} if cut_off else {},
        network={
            "nat": nat,
            "nat_zones": zones,
            "interface_endpoints": with_endpoints,
            "availability_zones": names,
        },
    )
    assert list(problems(settings)) == []
    templates = synthesize(settings, tmp_path)
    network = templates["network"]
    made = {
        kind: len(properties(network, f"AWS::EC2::{kind}")) for kind in ("NatGateway", "Instance")
    }
    assert made == {
        "NatGateway": zones if nat == "gateway" else 0,
        "Instance": zones if nat == "instance" else 0,
    }
    assert bool(endpoints(templates)) == with_endpoints
    private = nat != "none" or with_endpoints
    assert len(properties(network, "AWS::EC2::Subnet")) == zones * (3 if private else 2)
    assert all(rule["FromPort"] != 22 for _, rule in rules(templates))

"""Choices that no environment makes today still give a right template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.models import Settings
from config.settings import load_settings
from tests.conftest import synthesize
from tests.stacks.fleet_rules import rules_of
from tests.templates import parameters, properties


def varied(environment: str, **changes: Any) -> Settings:
    """Return an environment's settings with some sections changed, checked again."""
    data = load_settings(environment).model_dump()
    for section, values in changes.items():
        data[section] = {**data[section], **values}
    return Settings.model_validate(data)


def test_external_addresses_take_the_place_of_rds_and_elasticache(tmp_path: Path) -> None:
    external = {"host": "pg.example.com", "port": 6432, "credentials_secret_name": "academy/db"}
    cache = {"host": "redis.example.com", "port": 6380, "credentials_secret_name": "academy/redis"}
    settings = varied("prod", database={"external": external}, redis={"external": cache})
    templates = synthesize(settings, tmp_path)
    kinds = {item["Type"] for item in templates.get("data", {}).get("Resources", {}).values()}
    assert not kinds & {"AWS::RDS::DBInstance", "AWS::ElastiCache::ReplicationGroup"}
    found = parameters(templates["configuration"], "/academy/workers/env")
    assert (found["DB_HOST"], found["DB_PORT"]) == ("pg.example.com", "6432")
    assert found["DB_PASSWORD"].endswith(":secret:academy/db#password")
    assert found["REDIS_PASSWORD"].endswith(":secret:academy/redis#password")


def test_nat_gateways_and_tasks_in_private_subnets(tmp_path: Path) -> None:
    settings = varied("dev", network={"nat": "gateway"})
    templates = synthesize(settings, tmp_path)
    assert len(properties(templates["network"], "AWS::EC2::NatGateway")) == 1
    [service] = properties(templates["api"], "AWS::ECS::Service")
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    assert all("PrivateSubnet" in str(subnet) for subnet in network["Subnets"])


def test_a_kind_set_to_null_has_no_fleet(tmp_path: Path) -> None:
    workers = {**load_settings("dev").model_dump()["workers"], "ai": None}
    settings = Settings.model_validate({**load_settings("dev").model_dump(), "workers": workers})
    templates = synthesize(settings, tmp_path)
    assert "ai" not in templates
    fleets = rules_of(templates)
    assert fleets.keys() == {"video", "messaging"}

"""The month's bill: arithmetic by hand, and what changes when a template does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.cost import Estimate, Prices, Usage, estimate, load_prices
from ops.cost.choices import choices
from ops.cost.usage import USAGE, read_usage
from ops.errors import OperatorError

HOURS = 730
PRICES = load_prices()
USAGE_500 = read_usage(USAGE / "500.yaml")


def _bill(resources: dict[str, Any], usage: Usage = USAGE_500, prices: Prices = PRICES) -> Estimate:
    return estimate({"stack": {"Resources": resources}}, usage, prices)


def _resource(type_name: str, **properties: Any) -> dict[str, Any]:
    return {"Type": type_name, "Properties": properties}


def _group(name: str, *, minimum: int = 0, **mix: Any) -> dict[str, Any]:
    """A fleet of c7g.xlarge with 100 GB, in a subnet that gives no public address."""
    return {
        "Subnet": _resource("AWS::EC2::Subnet"),
        "Template": _resource(
            "AWS::EC2::LaunchTemplate",
            LaunchTemplateData={
                "InstanceType": "c7g.xlarge",
                "BlockDeviceMappings": [{"Ebs": {"VolumeSize": 100}}],
            },
        ),
        "Group": _resource(
            "AWS::AutoScaling::AutoScalingGroup",
            AutoScalingGroupName=name,
            MinSize=str(minimum),
            LaunchTemplate={"LaunchTemplateId": {"Ref": "Template"}},
            VPCZoneIdentifier=[{"Ref": "Subnet"}],
            **mix,
        ),
    }


def _part(bill: Estimate, part: str) -> dict[str, float]:
    return {item.price: item.monthly_usd for item in bill.items if item.part == part}


def _use(**changes: Any) -> Usage:
    return USAGE_500.model_copy(update=changes)


def test_an_empty_estate_costs_nothing() -> None:
    assert _bill({}).total_usd == 0


@pytest.mark.parametrize(
    ("alarms", "usd"),
    [(0, 0), (1, 0), (10, 0), (11, 0.10), (42, 3.20)],
)
def test_alarms_beyond_the_free_ones_cost_ten_cents(alarms: int, usd: float) -> None:
    found = {f"A{n}": _resource("AWS::CloudWatch::Alarm", MetricName="x") for n in range(alarms)}
    assert _bill(found).total_usd == pytest.approx(usd)


def test_an_alarm_on_metric_math_costs_by_its_metrics() -> None:
    two = [{"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}]
    alarm = _resource("AWS::CloudWatch::Alarm", Metrics=[*two, {"Id": "e", "Expression": "a/b"}])
    (item,) = _bill({"A": alarm}).items
    assert item.quantity == 2


@pytest.mark.parametrize(("metrics", "usd"), [(50, 0), (51, 3)])
def test_a_dashboard_of_more_than_50_metrics_is_not_among_the_free_ones(
    metrics: int, usd: float
) -> None:
    rows: list[list[Any]] = [["Space", f"M{n}", {"stat": "Sum"}] for n in range(metrics)]
    # The same once more, and an expression: neither is a metric of its own.
    rows += [["Space", "M0", {"yAxis": "right"}], [{"expression": "a / b"}]]
    board = json.dumps({"widgets": [{"properties": {"metrics": rows, "region": "HERE"}}]})
    before, _, after = board.partition("HERE")
    body = {"Fn::Join": ["", [before, {"Ref": "AWS::Region"}, after]]}
    found = _bill({"Board": _resource("AWS::CloudWatch::Dashboard", DashboardBody=body)})
    assert sum(_part(found, "metrics").values()) == usd


def test_a_fleets_metrics_cost_by_the_hours_in_which_it_has_jobs() -> None:
    fleet = _group("academy-ai-worker-asg")
    function = _resource("AWS::Lambda::Function", Handler="lambdas.x.handler.handler")
    use = _use(custom_metrics=10, fleet_metrics=24, metric_requests_million=1.5)
    hours = use.workers["ai"].hours_with_jobs
    found = _part(_bill({**fleet, "Function": function}, use), "metrics")
    assert found["metric"] == pytest.approx(hours * 0.30)
    assert found["metric.requests"] == pytest.approx(5)


@pytest.mark.parametrize(
    ("multi_az", "hour", "gb"),
    [(False, 0.025, 0.131), (True, 0.051, 0.262)],
)
def test_multi_az_doubles_hours_and_storage(multi_az: bool, hour: float, gb: float) -> None:
    database = _resource(
        "AWS::RDS::DBInstance",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage="20",
        MultiAZ=multi_az,
    )
    assert sum(_part(_bill({"D": database}), "database").values()) == pytest.approx(
        hour * HOURS + 20 * gb
    )


def test_a_replica_has_the_storage_of_its_source() -> None:
    source = _resource(
        "AWS::RDS::DBInstance", DBInstanceClass="db.t4g.micro", AllocatedStorage="50"
    )
    replica = _resource(
        "AWS::RDS::DBInstance",
        DBInstanceClass="db.t4g.micro",
        SourceDBInstanceIdentifier={"Ref": "D"},
    )
    found = _part(_bill({"D": source, "R": replica}), "read replicas")
    assert found["rds.storage.single"] == pytest.approx(50 * 0.131)


@pytest.mark.parametrize(
    ("properties", "nodes"),
    [
        ({"NumCacheClusters": 1}, 1),
        ({"NumCacheClusters": 2}, 2),
        ({"NumNodeGroups": 3, "ReplicasPerNodeGroup": 1}, 6),
    ],
)
def test_every_redis_node_costs(properties: dict[str, int], nodes: int) -> None:
    redis = _resource(
        "AWS::ElastiCache::ReplicationGroup",
        Engine="redis",
        CacheNodeType="cache.t4g.micro",
        **properties,
    )
    assert _part(_bill({"R": redis}), "Redis")["redis.t4g.micro"] == pytest.approx(
        nodes * 0.024 * HOURS
    )


def test_workers_cost_the_hours_of_their_jobs_and_starts() -> None:
    """20 jobs a day of 857 s, each with a start of 210 s: 180.3 hours in 30.4 days."""
    hours = 20 * (857 + 210) / 3600 * HOURS / 24
    found = _part(_bill(_group("academy-video-worker-asg")), "video workers")
    assert found["ec2.c7g.xlarge"] == pytest.approx(hours * 0.163)
    assert found["ebs.gp3"] == pytest.approx(100 * 0.0912 * hours / HOURS)


def test_a_minimum_of_workers_costs_the_whole_month() -> None:
    found = _part(_bill(_group("academy-video-worker-asg", minimum=2)), "video workers")
    assert found["ec2.c7g.xlarge"] == pytest.approx(2 * HOURS * 0.163)


def test_a_warm_pool_costs_the_disks_of_what_stands_there() -> None:
    group = _group("academy-video-worker-asg")
    pool = _resource("AWS::AutoScaling::WarmPool", AutoScalingGroupName={"Ref": "Group"}, MinSize=3)
    without, found = (_part(_bill(each), "video workers") for each in (group, {**group, "P": pool}))
    assert found["ebs.gp3"] - without["ebs.gp3"] == pytest.approx(3 * 100 * 0.0912)
    assert found["ec2.c7g.xlarge"] == without["ec2.c7g.xlarge"]


@pytest.mark.parametrize(
    ("base", "percent", "on_demand"),
    [(0, 100, 1.0), (0, 0, 0.0), (0, 50, 0.5), (1, 0, 1.0)],
)
def test_spot_hours_cost_less(base: int, percent: int, on_demand: float) -> None:
    """The single worker of 20 jobs a day is within an on-demand base of one."""
    mix = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateId": {"Ref": "Template"}},
            "Overrides": [{"InstanceType": "c7g.xlarge"}, {"InstanceType": "c6g.xlarge"}],
        },
        "InstancesDistribution": {
            "OnDemandBaseCapacity": base,
            "OnDemandPercentageAboveBaseCapacity": percent,
        },
    }
    bill = _bill(_group("academy-video-worker-asg", MixedInstancesPolicy=mix))
    hours = 20 * (857 + 210) / 3600 * HOURS / 24
    spot = (1 - on_demand) * (0.163 + 0.154) / 2 * (1 - PRICES.spot_discount)
    # The part may hold c7g.xlarge twice, on demand and Spot.
    paid = sum(
        item.monthly_usd
        for item in bill.items
        if item.part == "video workers" and item.price.startswith("ec2.")
    )
    assert paid == pytest.approx(hours * (on_demand * 0.163 + spot))


def test_public_subnets_and_templates_add_addresses() -> None:
    private = _bill(_group("academy-video-worker-asg"))
    resources = _group("academy-video-worker-asg")
    resources["Subnet"]["Properties"]["MapPublicIpOnLaunch"] = True
    public = _bill(resources)
    resources["Template"]["Properties"]["LaunchTemplateData"]["NetworkInterfaces"] = [
        {"AssociatePublicIpAddress": False}
    ]
    kept_in = _bill(resources)
    hours = 20 * (857 + 210) / 3600 * HOURS / 24
    assert public.total_usd - private.total_usd == pytest.approx(hours * 0.005)
    assert kept_in.total_usd == pytest.approx(private.total_usd)


@pytest.mark.parametrize(
    ("seconds", "usd"),
    [(None, (43800 * 60 * 0.25 - 400_000) * 0.0000133334), (9, 0)],
)
def test_a_scheduled_function_costs_beyond_the_free_seconds(
    seconds: float | None, usd: float
) -> None:
    """Each minute of 730 hours, 256 MB, its 60 s of time-out unless the use says less."""
    usage = _use(functions_s={} if seconds is None else {"look": seconds})
    function = _resource(
        "AWS::Lambda::Function", MemorySize=256, Timeout=60, Handler="lambdas.look.handler.handler"
    )
    rule = _resource(
        "AWS::Events::Rule",
        ScheduleExpression="rate(1 minute)",
        Targets=[{"Arn": {"Fn::GetAtt": ["F", "Arn"]}, "Id": "x"}],
    )
    found = _part(_bill({"F": function, "R": rule}, usage), "functions")
    assert found["lambda.arm.gb_s"] == pytest.approx(usd)


def test_a_nat_gateway_raises_the_bill_by_its_price(prod: dict[str, Any]) -> None:
    before = _of(prod)
    prod_too = {**prod, "extra": {"Resources": {"Nat": _resource("AWS::EC2::NatGateway")}}}
    sent_gb = 20 * 20 * 60 * 4.0 / 8000 * HOURS / 24
    added = 0.059 * HOURS + 0.005 * HOURS + 0.059 * sent_gb
    assert _of(prod_too).total_usd - before.total_usd == pytest.approx(added)


def test_an_interface_endpoint_costs_in_each_zone_and_a_gateway_nothing() -> None:
    endpoint = _resource("AWS::EC2::VPCEndpoint", VpcEndpointType="Interface", SubnetIds=["a", "b"])
    gateway = _resource("AWS::EC2::VPCEndpoint", VpcEndpointType="Gateway")
    assert _bill({"E": endpoint, "G": gateway}).total_usd == pytest.approx(2 * 0.013 * HOURS)


def test_a_backup_rule_and_its_copy_keep_a_whole_and_the_changes() -> None:
    kept = {"Lifecycle": {"DeleteAfterDays": 30}}
    plan = _resource(
        "AWS::Backup::BackupPlan",
        BackupPlan={"BackupPlanRule": [{**kept, "CopyActions": [kept]}]},
    )
    usage = _use(database_gb=10, database_change_percent=2)
    assert _bill({"P": plan}, usage).total_usd == pytest.approx(2 * 10 * 1.6 * 0.095)


def test_an_unknown_type_stops_the_estimate_and_is_named() -> None:
    with pytest.raises(OperatorError, match="AWS::Kinesis::Stream"):
        _bill({"S": _resource("AWS::Kinesis::Stream")})


def test_a_machine_without_a_price_stops_the_estimate_and_is_named() -> None:
    machine = _resource("AWS::EC2::Instance", InstanceType="u-24tb1.metal")
    with pytest.raises(OperatorError, match=r"ec2\.u-24tb1\.metal"):
        _bill({"M": machine})


def test_choices_name_what_costs_more_and_by_how_much() -> None:
    database = _resource(
        "AWS::RDS::DBInstance", DBInstanceClass="db.t4g.micro", AllocatedStorage="20", MultiAZ=True
    )
    acl = _resource("AWS::WAFv2::WebACL", Rules=[{}, {}, {}])
    found = {x.name: x.extra_usd for x in choices(_bill({"D": database, "A": acl}), PRICES)}
    calls_million = 500 * 100 * HOURS / 24 / 1e6
    assert found == {
        "Multi-AZ database": pytest.approx((0.051 - 0.025) * HOURS),
        "Multi-AZ storage": pytest.approx(20 * 0.131),
        "firewall for web requests": pytest.approx(8 + 0.6 * calls_million),
    }


def _of(templates: dict[str, Any]) -> Estimate:
    named = {f"academy-prod-{role}": template for role, template in templates.items()}
    return estimate(named, USAGE_500, PRICES)

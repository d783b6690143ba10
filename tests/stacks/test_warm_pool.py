"""A fleet with a warm pool, and those without."""

from __future__ import annotations

import pytest

from config.checks import problems
from config.models import Settings
from config.settings import load_settings
from stacks.constructs.boot_outcome import LAUNCHING_HOOK, TERMINATION_HOOK
from stacks.constructs.warm_pool import MARGIN_S
from tests.conftest import Template, Templates, synthesize
from tests.templates import only, properties, resources, user_data

SIZE = 2


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Development's, its texts carried by instances that stand prepared."""
    data = load_settings("dev").model_dump()
    data["workers"]["messaging"]["warm_pool"] = {"size": SIZE}
    return Settings(**data)


@pytest.fixture(scope="module")
def warm(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return synthesize(settings, tmp_path_factory.mktemp("warm"))


def hooks(template: Template) -> dict[str, dict[str, object]]:
    return {
        str(hook["LifecycleHookName"]): hook
        for hook in properties(template, "AWS::AutoScaling::LifecycleHook")
    }


def test_the_pool_stands_stopped_at_its_size_whatever_is_in_service(
    warm: Templates, settings: Settings
) -> None:
    assert list(problems(settings)) == []
    pool = only(warm["messaging"], "AWS::AutoScaling::WarmPool")
    group = next(iter(resources(warm["messaging"], "AWS::AutoScaling::AutoScalingGroup")))
    assert pool == {
        "AutoScalingGroupName": {"Ref": group},
        "MinSize": SIZE,
        "MaxGroupPreparedCapacity": SIZE,
        "PoolState": "Stopped",
    }


def test_an_instance_is_stopped_once_it_is_prepared_or_has_had_its_time(
    warm: Templates, settings: Settings
) -> None:
    template = warm["messaging"]
    hook = hooks(template)[LAUNCHING_HOOK]
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_LAUNCHING"
    assert hook["DefaultResult"] == "CONTINUE"
    assert hook["HeartbeatTimeout"] == settings.scaling.boot_limit_s + MARGIN_S
    [pool] = resources(template, "AWS::AutoScaling::WarmPool").values()
    [name] = [
        name
        for name, each in resources(template, "AWS::AutoScaling::LifecycleHook").items()
        if each["Properties"]["LifecycleHookName"] == LAUNCHING_HOOK
    ]
    assert name in pool["DependsOn"]
    assert f"release {LAUNCHING_HOOK};" in user_data(template)


def test_a_fleet_without_a_pool_holds_no_instance_at_its_launch(warm: Templates) -> None:
    template = warm["ai"]
    assert resources(template, "AWS::AutoScaling::WarmPool") == {}
    assert hooks(template).keys() == {TERMINATION_HOOK}
    assert "target-lifecycle-state" not in user_data(template)

"""Defects of moto 5.2's EC2 that the platform would notice, mended in place."""

from __future__ import annotations

from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.instances import Instance
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.utils import parse_user_data

_INSTANCE: Any = Instance
_RULE: Any = SecurityGroupRule
_TEMPLATE: Any = LaunchTemplate


def rules_between_groups_show_their_description() -> None:
    """Show the description of a rule whose peer is a group; moto looks at address ranges only."""

    def description(rule: Any) -> Any:
        return rule.ip_range.get("Description") or rule.source_group.get("Description")

    _RULE.description = property(description)


def launch_templates_show_their_present_tags() -> None:
    """Show a launch template's tags as they are, not as they were at its creation."""
    _TEMPLATE.tags = property(lambda template: template.get_tags(), lambda template, tags: None)


def later_launch_template_versions_can_be_launched() -> None:
    """Parse the user data of a later version as moto does for the first, or launching fails."""
    create = _TEMPLATE.create_version

    def create_version(template: Any, data: Any, description: str) -> Any:
        if isinstance(data.get("UserData"), str):
            data = {**data, "UserData": parse_user_data(data["UserData"])}
        return create(template, data, description)

    _TEMPLATE.create_version = create_version


def instances_say_when_they_were_started_last() -> None:
    """Give a started instance a launch time of its own, as EC2 does and its boot records count."""
    start = _INSTANCE.start

    def started(instance: Any) -> Any:
        before = start(instance)
        instance.launch_time = utcnow()
        return before

    _INSTANCE.start = started

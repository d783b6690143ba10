"""Reading synthesized templates: resources by type, properties by path, values as text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

Template = dict[str, Any]


def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Return the resources of a type by logical id."""
    return {
        name: resource
        for name, resource in template.get("Resources", {}).items()
        if resource["Type"] == kind
    }


def properties(template: Template, kind: str) -> list[dict[str, Any]]:
    """Return the properties of each resource of a type."""
    return [found.get("Properties", {}) for found in resources(template, kind).values()]


def only(template: Template, kind: str) -> dict[str, Any]:
    """Return the properties of the one resource of a type; fail when there are others or none."""
    found = properties(template, kind)
    assert len(found) == 1, f"{len(found)} resources of type {kind}"
    return found[0]


def text(value: Any) -> str:
    """Return a value as text: joins joined, other functions as `<their content>`."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(text(part) for part in parts)
    if isinstance(value, dict) and "Fn::Base64" in value:
        return text(value["Fn::Base64"])
    if isinstance(value, dict) and set(value) & {
        "Ref",
        "Fn::GetAtt",
        "Fn::ImportValue",
        "Fn::GetStackOutput",
    }:
        return "<" + re.sub(r"[^A-Za-z0-9.:-]+", " ", str(next(iter(value.values())))).strip() + ">"
    return str(value)


def strings(value: Any) -> Iterator[str]:
    """Yield every string of a template, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def statements(template: Template) -> list[dict[str, Any]]:
    """Return the statements of every IAM policy."""
    return [
        statement
        for policy in properties(template, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def actions_on(template: Template, fragment: str) -> set[str]:
    """Return the actions granted on resources whose text contains a fragment."""
    found: set[str] = set()
    for statement in statements(template):
        places = statement["Resource"]
        places = places if isinstance(places, list) else [places]
        if any(fragment in text(place) for place in places):
            actions = statement["Action"]
            found |= set(actions if isinstance(actions, list) else [actions])
    return found


def user_data(template: Template) -> str:
    """Return the boot script of the one launch template."""
    data = only(template, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    return text(data["UserData"])


def container_variables(script: str, container: str) -> dict[str, str]:
    """Return the `-e` variables of the `docker run` that names a container."""
    for command in script.replace("\\\n", " ").splitlines():
        words = shlex.split(command) if "docker run" in command else []
        if container in words:
            given = [words[at + 1] for at, word in enumerate(words) if word == "-e"]
            return dict(pair.split("=", 1) for pair in given)
    raise AssertionError(f"no docker run of {container}")


def parameters(template: Template, path: str) -> dict[str, str]:
    """Return key and text of the SSM parameters right below a path."""
    return {
        found["Name"].removeprefix(f"{path}/"): text(found["Value"])
        for found in properties(template, "AWS::SSM::Parameter")
        if found["Name"].rpartition("/")[0] == path
    }

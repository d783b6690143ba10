"""Small templates for the tests of comparisons."""

from __future__ import annotations

from typing import Any

from config.contracts.statefulness import STATEFUL

Json = dict[str, Any]


def resource(type_name: str, *, path: str = "", holds: str = "", **properties: Any) -> Json:
    """Return a resource; `path` and `holds` become its metadata."""
    metadata = {"aws:cdk:path": path} if path else {}
    metadata |= {STATEFUL: holds} if holds else {}
    return {"Type": type_name, "Properties": properties, "Metadata": metadata}


def template(resources: Json, **outputs: Json) -> Json:
    """Return a template."""
    return {"Resources": resources, "Outputs": outputs}


def exported(name: str, value: Any) -> Json:
    """Return an output that is an export."""
    return {"Value": value, "Export": {"Name": name}}


def imported(name: str) -> Json:
    return {"Fn::ImportValue": name}


def ref(name: str) -> Json:
    return {"Ref": name}


def arn(name: str) -> Json:
    return {"Fn::GetAtt": [name, "Arn"]}


def one(**resources: Json) -> dict[str, Json]:
    """Return one stack, named `app`, of the given resources."""
    return {"app": template(resources)}

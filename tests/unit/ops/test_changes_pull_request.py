"""`academy diff --markdown`: what runs compared with an assembly, with what both cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from config.settings import load_settings
from ops.changes.assembly import deployed, read
from ops.checks import upgrade
from ops.delivery import pull_request
from ops.errors import OperatorError
from ops.releases.assemblies import Assembly
from tests.unit.ops.changes_templates import one, resource


def assembly(folder: Path, templates: dict[str, Any]) -> Path:
    """Write an assembly as CDK does, as far as it is read."""
    artifacts = {}
    for name, template in templates.items():
        file = f"{name}.template.json"
        (folder / file).write_text(json.dumps(template))
        properties = {"templateFile": file, "stackName": name}
        artifacts[name] = {"type": "aws:cloudformation:stack", "properties": properties}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def test_the_comment_holds_the_changes_and_the_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = one(Q=resource("AWS::SQS::Queue", QueueName="a"))
    monkeypatch.setattr(upgrade, "running", lambda *_: running)
    wanted = assembly(tmp_path, one(Q=resource("AWS::SQS::Queue", QueueName="b")))
    text = pull_request.summary(load_settings("dev"), Assembly(wanted))
    assert "## `dev`" in text
    assert "QueueName cannot change" in text
    assert "Monthly cost: $" in text


def test_an_assembly_is_read_by_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "stray.template.json").write_text("{}")
    templates = one(Q=resource("AWS::SQS::Queue"))
    assert read(assembly(tmp_path, templates)) == templates


def test_a_directory_without_an_assembly_is_said(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no assembly in"):
        read(tmp_path)


class Account:
    """CloudFormation with one stack, and one that may not be read."""

    def get_template(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        if StackName == "app":
            return {"TemplateBody": {"Resources": {}}}
        said = "is not authorized" if StackName == "secret" else "does not exist"
        raise ClientError({"Error": {"Code": "ValidationError", "Message": said}}, "GetTemplate")


def test_a_stack_that_does_not_exist_has_no_template_and_no_other_error_is_hidden() -> None:
    assert deployed(Account(), ["app", "none"]) == {"app": {"Resources": {}}}
    with pytest.raises(ClientError, match="not authorized"):
        deployed(Account(), ["secret"])

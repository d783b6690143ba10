"""Templates read from where they are: a cloud assembly, or what CloudFormation runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ops.changes.model import Templates
from ops.errors import OperatorError


def read(assembly: Path) -> Templates:
    """Return the templates of a cloud assembly by stack name, as its manifest lists them.

    Raises: OperatorError when the directory holds no assembly.
    """
    manifest = assembly / "manifest.json"
    if not manifest.is_file():
        raise OperatorError(f"no assembly in {assembly}", hint="run `make synth ENV=...`")
    artifacts: dict[str, Any] = json.loads(manifest.read_text("utf-8"))["artifacts"]
    stacks = {
        name: each["properties"]
        for name, each in artifacts.items()
        if each["type"] == "aws:cloudformation:stack"
    }
    return {
        properties.get("stackName", name): json.loads(
            (assembly / properties["templateFile"]).read_text("utf-8")
        )
        for name, properties in sorted(stacks.items())
    }


def deployed(cloudformation: Any, stacks: Iterable[str]) -> Templates:
    """Return the templates that run, by stack name; a stack that does not exist has none.

    `cloudformation` is a boto3 client; one call a stack. Raises: ClientError.
    """
    found = {name: _deployed(cloudformation, name) for name in stacks}
    return {name: template for name, template in found.items() if template is not None}


def _deployed(cloudformation: Any, name: str) -> Any:
    try:
        return cloudformation.get_template(StackName=name)["TemplateBody"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise

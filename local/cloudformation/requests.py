"""From a request's parameters to what a stack is to become."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError

from local.clients import Clients
from local.cloudformation import dynamic, parameters, template
from local.cloudformation.errors import DeploymentError, validation
from local.cloudformation.model import Stack, Target
from local.cloudformation.template import Template

_BUCKET_HOST = re.compile(r"(.+)\.s3[.-].*amazonaws\.com|(.+)\.s3\.localhost")


def target(params: Mapping[str, Any], stack: Stack | None, clients: Clients) -> Target:
    """Return the target that a create, an update or a change set asks for.

    Raises: ServiceError for a template or parameters that make no sense.
    """
    previous = stack.state.target if stack else Target()
    wanted = read_template(params, stack, clients)

    def from_ssm(name: str) -> str:
        try:
            return dynamic.read_parameter(name, clients)
        except DeploymentError as error:
            raise validation(str(error)) from error

    tags = params.get("Tags")
    return Target(
        template=wanted,
        parameters=parameters.settle(
            wanted.parameters, params.get("Parameters") or [], previous.parameters, from_ssm
        ),
        tags=previous.tags if tags is None else {tag["Key"]: tag["Value"] for tag in tags},
    )


def read_template(params: Mapping[str, Any], stack: Stack | None, clients: Clients) -> Template:
    """Return the template of a request: its body, the object at its URL, or the stack's own."""
    if params.get("UsePreviousTemplate"):
        if stack is None:
            raise validation("UsePreviousTemplate needs a stack that exists")
        return stack.state.target.template
    if body := params.get("TemplateBody"):
        return template.parse(body)
    if url := params.get("TemplateURL"):
        return template.parse(_fetch(url, clients))
    raise validation("Either TemplateBody, TemplateURL or UsePreviousTemplate is required")


def _fetch(url: str, clients: Clients) -> str:
    parts = urlsplit(url)
    path = unquote(parts.path).lstrip("/")
    host = _BUCKET_HOST.fullmatch(parts.hostname or "")
    bucket, key = (host[1] or host[2], path) if host else path.split("/", 1)
    try:
        answer = clients.client("s3").get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        raise validation(f"TemplateURL {url} cannot be read: {error}") from error
    return str(answer["Body"].read().decode())

"""Every answer that a test gets must be one that the OpenAPI document describes."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django.urls import Resolver404
from openapi_schema_validator import OAS31Validator

from worker_images.api.openapi.document import document

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
#: What any request may be answered with, whatever its address: a wrong Host, a wrong method, a bug.
_ANYWHERE = {400, 405, 500}


def template(route: str) -> str:
    """Return a route of Django's as a path of the document."""
    return "/" + _VARIABLE.sub(r"{\1}", route)


def check(method: str, response: Any) -> None:
    """Fail where an answer's status or body is not in the document."""
    if response.status_code in _ANYWHERE:
        return
    try:
        path = template(response.resolver_match.route)
    except Resolver404:
        return
    status = str(response.status_code)
    operation = document()["paths"][path][method]
    assert status in operation["responses"], f"{method} {path} answers {status}, undocumented"
    content_type = response.headers.get("Content-Type", "").partition(";")[0]
    if content_type == "application/json":
        errors = [
            error.message for error in _validator(path, method, status).iter_errors(response.json())
        ]
        assert not errors, f"{method} {path} {status}: {errors}"


@cache
def _validator(path: str, method: str, status: str) -> Any:
    described = document()["paths"][path][method]["responses"][status]
    schema = described["content"]["application/json"]["schema"]
    return OAS31Validator({**schema, "components": document()["components"]})

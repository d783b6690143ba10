"""The OpenAPI document, made once a process."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from worker_images.api.openapi import schemes
from worker_images.api.openapi.endpoints import describe_all

__all__ = ["document", "schemes"]  # drf-spectacular finds the schemes by their being imported


@cache
def document() -> dict[str, Any]:
    """Return the document as JSON objects."""
    describe_all()
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made

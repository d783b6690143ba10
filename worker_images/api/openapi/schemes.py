"""How callers show who they are; drf-spectacular registers these classes as they are defined."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from config.contracts.api_paths import TENANT_HEADER
from config.contracts.environment import INTERNAL_KEY_HEADER


class OperatorTokenScheme(OpenApiAuthenticationExtension):
    """Staff calls: a token, and the tenant."""

    target_class = "worker_images.api.auth.OperatorToken"
    name = ["operatorToken", "tenant"]  # noqa: RUF012 - drf-spectacular's way

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        token = {"type": "http", "scheme": "bearer"}
        return [token, {"type": "apiKey", "in": "header", "name": TENANT_HEADER}]


class InternalKeyScheme(OpenApiAuthenticationExtension):
    """Lambda's and operators' calls."""

    target_class = "worker_images.api.auth.InternalKey"
    name = "internalKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "header", "name": INTERNAL_KEY_HEADER}

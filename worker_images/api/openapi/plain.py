"""Addresses that are no view of Django REST framework."""

from __future__ import annotations

from typing import Any

from config.contracts.health import CONFIGURATION, DEPENDENCIES, FAILED, OK


def add_plain_paths(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's POSTPROCESSING_HOOK."""
    for path, operation in _plain().items():
        result["paths"][path] = {"get": {"security": [{}], **operation}}
    return result


def _plain() -> dict[str, dict[str, Any]]:
    health = {
        "operationId": "operations_health",
        "tags": ["operations"],
        "summary": "Every dependency, each really asked",
        "responses": {
            "200": _json("All of them answer", _health()),
            "503": _json("One of them does not", _health()),
        },
    }
    return {
        "/healthz": {
            "operationId": "operations_healthz",
            "tags": ["operations"],
            "summary": "The load balancer's check; touches nothing, answers any Host",
            "responses": {"200": _text("It serves", "text/plain")},
        },
        "/health": health,
        "/health/": {**health, "operationId": "operations_health_slash"},
        "/metrics": {
            "operationId": "operations_metrics",
            "tags": ["operations"],
            "summary": "Prometheus text; through the load balancer with the internal key alone",
            "security": [{}, {"internalKey": []}],
            "responses": {
                "200": _text("The metrics", "text/plain"),
                "403": _json("No key, and not asked directly", _ERROR),
            },
        },
        **_watch(),
    }


def _watch() -> dict[str, dict[str, Any]]:
    page = {
        "200": _text("The page that plays the video", "text/html"),
        "403": _text("The link is too old", "text/html"),
        "404": _text("No such video", "text/html"),
        "409": _text("The video is not ready, or failed", "text/html"),
    }
    objects = {
        "200": _text("A playlist", "application/vnd.apple.mpegurl"),
        "302": {"description": "Where the store has the segment"},
        "403": _text("The link is too old", "text/plain"),
        "404": _json("No such object", _ERROR),
    }
    asset = {
        "200": {"description": "A file of the page, kept for ever"},
        "404": _json("Another release's", _ERROR),
    }
    return {
        "/watch/{token}/": _get("watch_page", "The page behind a signed link", page, "token"),
        "/watch/{token}/hls/{name}": _get(
            "watch_hls", "A playlist or a segment", objects, "token", "name"
        ),
        "/static/{digest}/{name}": _get(
            "watch_asset", "A file of the page", asset, "digest", "name"
        ),
    }


_ERROR = {"$ref": "#/components/schemas/ErrorBody"}


def _get(name: str, summary: str, responses: dict[str, Any], *parameters: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "tags": ["watch"],
        "summary": summary,
        "parameters": [
            {"name": each, "in": "path", "required": True, "schema": {"type": "string"}}
            for each in parameters
        ],
        "responses": responses,
    }


def _health() -> dict[str, Any]:
    state = {"type": "string", "enum": [OK, FAILED]}
    return {
        "type": "object",
        "properties": {
            **dict.fromkeys(DEPENDENCIES, state),
            CONFIGURATION: {"type": ["string", "null"]},
        },
        "required": [*DEPENDENCIES, CONFIGURATION],
    }


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _text(description: str, content_type: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {content_type: {"schema": {"type": "string"}}},
    }

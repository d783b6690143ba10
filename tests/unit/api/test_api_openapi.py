"""The OpenAPI document: valid, whole, committed as it is, and what the contract table says.

After a change: `python -m tests.unit.api.write_openapi` writes docs/openapi.yaml.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.urls import URLPattern, get_resolver
from drf_spectacular.renderers import OpenApiYamlRenderer
from openapi_spec_validator import validate

from config.contracts.fleet_facts import FleetFact, WorkerFact
from tests.unit.api.conformance import check, template
from worker_images.api.openapi.document import document

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.yaml"
#: contracts.md: the calls, and the statuses that they are answered with.
CONTRACT = {
    ("get", "/healthz"): {200},
    ("get", "/health"): {200, 503},
    ("get", "/metrics"): {200},
    ("post", "/api/v1/media/videos/upload/init/"): {201},
    ("post", "/api/v1/media/videos/{video_id}/upload/complete/"): {200, 409, 503},
    ("post", "/api/v1/media/videos/{video_id}/retry/"): {202},
    ("get", "/api/v1/media/videos/{video_id}/progress/"): {200},
    ("post", "/api/v1/enrollments/lecture_enroll_from_excel/"): {202},
    ("get", "/api/v1/enrollments/excel_job_status/{job_id}/"): {200},
    ("get", "/api/v1/internal/fleets/"): {200, 403},
    ("get", "/api/v1/internal/video/backlog-count/"): {200, 403},
    ("post", "/api/v1/internal/video/scan-stuck/"): {200, 403},
    ("post", "/api/v1/internal/video/dlq-mark-dead/"): {200, 403, 409},
}
FIELDS = {
    "UploadInitBody": {"video", "upload_url", "file_key", "content_type"},
    "RetryBody": {"detail", "job_id"},
    "AcceptedBody": {"job_id", "status"},
    "JobBody": {"job_id", "job_type", "status", "result", "error_message", "progress"},
    "BacklogBody": {"backlog"},
    "ScanBody": {"recovered", "dead"},
    "FleetBody": {field.name for field in fields(FleetFact)},
    "WorkerBody": {field.name for field in fields(WorkerFact)},
}


def written() -> str:
    """Return the document as the file holds it."""
    text: bytes = OpenApiYamlRenderer().render(document(), renderer_context={})
    return text.decode()


def served() -> set[tuple[str, str]]:
    """Return every method and path that the API answers, `/healthz` among them."""
    found = {("get", "/healthz")}

    def walk(patterns: Any, above: str) -> None:
        for each in patterns:
            route = f"{above}{each.pattern}"
            if not isinstance(each, URLPattern):
                walk(each.url_patterns, route)
                continue
            view = getattr(each.callback, "view_class", None)
            names = ("get", "post", "put", "patch", "delete") if view else ("get",)
            methods = [name for name in names if view is None or hasattr(view, name)]
            found.update((method, template(route)) for method in methods)

    walk(get_resolver().url_patterns, "")
    return found


def test_the_document_is_valid() -> None:
    validate(yaml.safe_load(written()))


def test_the_committed_document_is_this_one() -> None:
    assert COMMITTED.read_text("utf-8") == written(), __doc__


def test_every_address_of_the_api_is_described_and_no_other() -> None:
    described = {
        (method, path) for path, methods in document()["paths"].items() for method in methods
    }
    assert described == served()


@pytest.mark.parametrize(("method", "path"), CONTRACT, ids=lambda value: value)
def test_the_contracts_answers_are_described(method: str, path: str) -> None:
    responses = document()["paths"][path][method]["responses"]
    assert {str(status) for status in CONTRACT[method, path]} <= set(responses)


@pytest.mark.parametrize("name", FIELDS)
def test_the_contracts_fields_are_described_and_always_there(name: str) -> None:
    schema = document()["components"]["schemas"][name]
    assert set(schema["required"]) == set(schema["properties"]) == FIELDS[name]


def test_every_error_answer_has_a_detail_and_a_code() -> None:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            for status, described in operation["responses"].items():
                schema = described.get("content", {}).get("application/json", {}).get("schema", {})
                if status >= "400" and schema and not path.startswith("/health"):
                    name = schema["$ref"].rpartition("/")[2]
                    required = document()["components"]["schemas"][name]["required"]
                    assert {"detail", "code"} <= set(required), (method, path, status)


def test_staff_get_the_document_and_strangers_do_not(api: Any) -> None:
    answer = api.get("/api/v1/schema/")
    assert yaml.safe_load(answer.content) == document()
    as_json = api.get("/api/v1/schema/", Accept="application/vnd.oai.openapi+json")
    assert as_json.json() == document()
    assert api.client.get("/api/v1/schema/").status_code == 401


def test_an_answer_that_the_document_does_not_know_is_found(api: Any) -> None:
    answer = api.client.get("/api/v1/media/videos/1/progress/")
    check("get", answer)
    answer.status_code = 418
    with pytest.raises(AssertionError, match="undocumented"):
        check("get", answer)
    answer.status_code = 200
    with pytest.raises(AssertionError, match="'percent' is a required property"):
        check("get", answer)

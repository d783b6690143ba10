"""Whatever is sent, the answer is one that the OpenAPI document describes, and never a 500."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker_images.api.openapi.document import document

_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_LIKELY = st.sampled_from(
    [
        "lecture.mp4",
        "video/mp4",
        "0212345678",
        "01012345678",
        "sms",
        1,
        2**63,
        -1,
        "\x00",
        "가" * 300,
    ]
)
FEW = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def bodies(path: str) -> st.SearchStrategy[Any]:
    """Return objects that have some of the fields that a path takes, with any values."""
    content = document()["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    name = content["schema"]["$ref"].rpartition("/")[2]
    fields = document()["components"]["schemas"][name]["properties"]
    values = _LIKELY | _ANYTHING
    return _ANYTHING | st.fixed_dictionaries({}, optional=dict.fromkeys(fields, values))


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/media/videos/upload/init/",
        "/api/v1/messaging/messages/",
        "/api/v1/enrollments/attendance_excel_export/",
    ],
)
def test_a_body_of_staff_is_taken_or_refused(api: Any, path: str) -> None:
    @FEW
    @given(body=bodies(path))
    def send(body: Any) -> None:
        assert api.post(path, body).status_code in {201, 202, 400, 404}

    send()


@pytest.mark.parametrize("name", ["video/scan-stuck/", "video/dlq-mark-dead/"])
def test_a_body_of_operators_is_taken_or_refused(internal: Callable[..., Any], name: str) -> None:
    @FEW
    @given(body=bodies(f"/api/v1/internal/{name}"))
    def send(body: Any) -> None:
        assert internal("POST", name, body).status_code in {200, 400, 404}

    send()


@pytest.mark.parametrize("call", ["progress", "complete", "retry"])
def test_a_number_that_is_no_video_is_a_404(api: Any, call: str) -> None:
    @FEW
    @given(number=st.integers(min_value=0, max_value=10**30))
    def ask(number: int) -> None:
        assert getattr(api, call)(number).status_code == 404

    ask()


def test_a_link_that_nobody_signed_is_a_404(api: Any) -> None:
    @FEW
    @given(token=st.text(st.characters(codec="ascii", exclude_characters="/?#%"), min_size=1))
    def ask(token: str) -> None:
        assert api.get(f"/watch/{token}/hls/master.m3u8").status_code == 404

    ask()

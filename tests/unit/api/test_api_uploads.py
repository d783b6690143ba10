"""upload/init, and the upload itself."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from worker_images.api.models import Video

pytestmark = pytest.mark.usefixtures("aws")


def test_init_answers_the_video_and_where_to_put_it(api: Any) -> None:
    answer = api.init(title="함수", filename="lecture.MP4", content_type="video/mp4")
    body = answer.json()
    assert answer.status_code == 201
    assert set(body) == {"video", "upload_url", "file_key", "content_type"}
    assert body["video"]["status"] == "PENDING"
    assert body["video"]["title"] == "함수"
    assert body["file_key"].startswith("tenants/1/video/raw/")
    assert body["file_key"].endswith(".mp4")
    assert "X-Amz-Expires=900" in body["upload_url"]


def test_the_upload_url_takes_a_put_of_the_answered_content_type(api: Any, aws: Any) -> None:
    body = api.init(filename="lecture.mov", content_type="").json()
    headers = {"Content-Type": body["content_type"]}
    put = requests.put(body["upload_url"], data=b"film", headers=headers, timeout=10)
    assert put.status_code == 200
    stored = aws.get_object(Bucket="academy-video", Key=body["file_key"])
    assert (stored["Body"].read(), stored["ContentType"]) == (b"film", "video/quicktime")


def test_an_upload_without_title_is_called_as_its_file(api: Any) -> None:
    assert api.init(title="", filename="1강 함수.mp4").status_code == 201
    body = api.post("/api/v1/media/videos/upload/init/", {"filename": "1강 함수.mp4"}).json()
    assert body["video"]["title"] == "1강 함수"


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"filename": "notes.pdf"}, "filename", ".mp4"),
        ({"filename": "lecture"}, "filename", ".webm"),
        ({"filename": "lecture.mp4.exe"}, "filename", ".mov"),
        ({"filename": "a.mp4", "content_type": "text/html"}, "content_type", "video/mp4"),
        ({"filename": "a.webm", "content_type": "video/mp4"}, "content_type", "video/webm"),
    ],
)
def test_a_file_that_is_no_video_is_refused_naming_what_is_allowed(
    api: Any, changes: dict[str, str], field: str, allowed: str
) -> None:
    answer = api.init(**changes)
    assert answer.status_code == 400
    assert allowed in answer.json()[field][0]
    assert not Video.objects.exists()


def test_a_body_that_is_no_json_is_refused(api: Any) -> None:
    answer = api.client.post(
        "/api/v1/media/videos/upload/init/",
        "{",
        content_type="application/json",
        headers={"Authorization": f"Bearer {api.token}", "X-Tenant-Id": "1"},
    )
    assert answer.status_code == 400
    assert "detail" in answer.json()


def test_two_uploads_of_the_same_file_get_different_keys(api: Any) -> None:
    assert api.init().json()["file_key"] != api.init().json()["file_key"]

"""The page that plays a video, and the files behind it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.core import signing

from worker_images.api import playback
from worker_images.api.models import Video

PREFIX = "tenants/1/video/hls/{}/"


@pytest.fixture
def ready(uploaded: Video, aws: Any, page_files: None) -> Video:
    Video.objects.update(state="READY", title="<b>함수</b>")
    objects = {"master.m3u8": b"#EXTM3U", "v1/index0.m4s": b"frames", "thumbnail.jpg": b"jpeg"}
    objects["thumbnails.vtt"] = b"WEBVTT"
    for name, body in objects.items():
        key = PREFIX.format(uploaded.pk) + name
        aws.put_object(Bucket="academy-video", Key=key, Body=body)
    aws.put_object(Bucket="academy-video", Key="tenants/1/video/secret.m3u8", Body=b"other")
    return uploaded


@pytest.fixture
def page(api: Any, ready: Video) -> str:
    """The page's path, without credentials."""
    return urlsplit(api.progress(ready.pk).json()["watch_url"]).path


def test_the_page_plays_without_a_token_header_and_escapes_the_title(api: Any, page: str) -> None:
    answer = api.client.get(page)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "&lt;b&gt;함수&lt;/b&gt;" in html
    assert 'data-source="hls/master.m3u8"' in html
    assert "<script>" not in html
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "connect-src 'self' http://127.0.0.1" in answer["Content-Security-Policy"]


def test_the_pages_files_are_served_under_their_hash_for_ever(api: Any, page: str) -> None:
    paths = re.findall(r'(?:src|href)="(/static/[^"]+)"', api.client.get(page).content.decode())
    assert len(paths) == 3
    for path in paths:
        answer = api.client.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer["Cache-Control"]
    assert api.client.get("/static/0000000000000000/watch.js").status_code == 404
    assert api.client.get(paths[0].rsplit("/", 1)[0] + "/../settings.py").status_code == 404


def test_playlists_are_passed_on_and_segments_come_from_the_store(api: Any, page: str) -> None:
    playlist = api.client.get(f"{page}hls/master.m3u8")
    assert (playlist.status_code, playlist.content) == (200, b"#EXTM3U")
    assert playlist["Content-Type"] == "application/vnd.apple.mpegurl"
    assert playlist["Cache-Control"] == "no-cache"
    for name, body in (("v1/index0.m4s", b"frames"), ("thumbnail.jpg", b"jpeg")):
        redirect = api.client.get(f"{page}hls/{name}")
        assert redirect.status_code == 302
        assert requests.get(redirect["Location"], timeout=10).content == body


def test_the_thumbnails_index_is_passed_on_since_it_names_its_neighbours(
    api: Any, page: str
) -> None:
    index = api.client.get(f"{page}hls/thumbnails.vtt")
    assert index.content == b"WEBVTT"
    assert index["Content-Type"] == "text/vtt"


def test_a_playlist_that_is_not_there_is_404(api: Any, page: str) -> None:
    assert api.client.get(f"{page}hls/v9/index.m3u8").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "../secret.m3u8",
        "..%2fsecret.m3u8",
        "%2e%2e/secret.m3u8",
        "v1/../../secret.m3u8",
        "./master.m3u8",
        "/master.m3u8",
        "//secret.m3u8",
        "v1\\..\\secret.m3u8",
        "master.m3u8%00.m4s",
        "master.m3u8%0a",
        "master.txt",
        ".m3u8",
        "",
    ],
)
def test_nothing_but_the_videos_own_files_is_reached(api: Any, page: str, name: str) -> None:
    assert api.client.get(f"{page}hls/{name}").status_code == 404


def test_a_tampered_link_is_404(api: Any, ready: Video, page: str) -> None:
    token = page.split("/")[2]
    other_video = re.sub(r"^\d+", str(ready.pk + 1), token)
    other_purpose = signing.TimestampSigner(salt="other").sign(str(ready.pk))
    for forged in (other_video, token[:-1], token + "A", str(ready.pk), other_purpose):
        assert api.client.get(f"/watch/{forged}/").status_code == 404
        assert api.client.get(f"/watch/{forged}/hls/master.m3u8").status_code == 404


def test_a_link_to_nothing_is_answered_with_a_page_for_people(api: Any, page: str) -> None:
    answer = api.client.get("/watch/forged/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "영상을 찾을 수 없습니다" in answer.content.decode()
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("UPLOADED", "준비하고 있습니다"),
        ("PROCESSING", "준비하고 있습니다"),
        ("FAILED", "인코딩하지 못한"),
    ],
)
def test_a_video_that_is_not_ready_has_a_page_that_says_so(
    api: Any, page: str, state: str, said: str
) -> None:
    Video.objects.update(state=state)
    answer = api.client.get(page)
    assert answer.status_code == 409
    assert said in answer.content.decode()
    assert "<video" not in answer.content.decode()


def test_an_old_link_is_403_with_a_page_that_says_so(
    api: Any, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback, "LINK_MAX_AGE_S", -1)
    answer = api.client.get(page)
    assert answer.status_code == 403
    assert "만료" in answer.content.decode()
    assert api.client.get(f"{page}hls/master.m3u8").status_code == 403

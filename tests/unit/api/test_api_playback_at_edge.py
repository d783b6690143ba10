"""Playback behind CloudFront: the page's cookies open its own video's folder, and nothing else."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.conf import settings

from worker_images.api.cdn import CookieSigner
from worker_images.api.environment import load_api_settings
from worker_images.api.models import Video
from worker_images.base.errors import ConfigurationError

KEY_PAIR_ID = "K2EXAMPLE"
NOW = 1_800_000_000


def private_text(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """Return a private key as the secret holds it."""
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(der).decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def signer(key: rsa.RSAPrivateKey) -> CookieSigner:
    return CookieSigner(KEY_PAIR_ID, private_text(key))


def admits(public: rsa.RSAPublicKey, cookies: Mapping[str, str], url: str, *, at: float) -> bool:
    """Decide as CloudFront does: signature, key, resource, time."""
    if cookies.get("CloudFront-Key-Pair-Id") != KEY_PAIR_ID:
        return False
    policy, signature = (
        base64.b64decode(cookies[f"CloudFront-{name}"].translate(str.maketrans("-_~", "+=/")))
        for name in ("Policy", "Signature")
    )
    assert cookies["CloudFront-Hash-Algorithm"] == "SHA256"
    try:
        public.verify(signature, policy, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    [statement] = json.loads(policy)["Statement"]
    until = statement["Condition"]["DateLessThan"]["AWS:EpochTime"]
    return fnmatchcase(url, statement["Resource"]) and at < until


FOLDER = "https://academy.example/tenants/1/video/hls/7/"


@pytest.mark.parametrize(
    ("url", "at", "expected"),
    [
        (f"{FOLDER}master.m3u8", NOW, True),
        (f"{FOLDER}v1/index0.m4s", NOW + 59, True),
        (f"{FOLDER}master.m3u8", NOW + 60, False),
        ("https://academy.example/tenants/1/video/hls/70/master.m3u8", NOW, False),
        ("https://academy.example/tenants/2/video/hls/7/master.m3u8", NOW, False),
        ("https://academy.example/tenants/1/video/raw/a/b.mp4", NOW, False),
        ("https://other.example/tenants/1/video/hls/7/master.m3u8", NOW, False),
    ],
)
def test_cookies_open_one_folder_until_their_moment(
    key: rsa.RSAPrivateKey, signer: CookieSigner, url: str, at: int, expected: bool
) -> None:
    cookies = signer.cookies(FOLDER, until=NOW + 60)
    assert admits(key.public_key(), cookies, url, at=at) is expected


def test_cookies_that_somebody_changed_open_nothing(
    key: rsa.RSAPrivateKey, signer: CookieSigner
) -> None:
    own = signer.cookies(FOLDER, until=NOW + 60)
    wider = signer.cookies("https://academy.example/", until=NOW + 60)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    mixed = {**own, "CloudFront-Policy": wider["CloudFront-Policy"]}
    url = f"{FOLDER}master.m3u8"
    assert admits(key.public_key(), own, url, at=NOW)
    assert not admits(key.public_key(), mixed, url, at=NOW)
    assert not admits(stranger, own, url, at=NOW)


def test_values_need_no_quotes_in_a_cookie(signer: CookieSigner) -> None:
    for value in signer.cookies(FOLDER, until=NOW).values():
        assert set(value) <= set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~"
        )


@pytest.fixture
def page(
    api: Any, uploaded: Video, page_files: None, signer: CookieSigner, monkeypatch: Any
) -> Any:
    """The answer to the page of a video that can be played, at its public name."""
    monkeypatch.setattr(settings, "API", replace(settings.API, playback=signer))
    Video.objects.update(state="READY")
    path = "/" + api.progress(uploaded.pk).json()["watch_url"].split("/", 3)[3]
    headers = {"Host": "api.example", "X-Forwarded-Proto": "https"}
    return api.client.get(path, headers=headers)


def test_the_page_plays_from_the_edge_with_cookies_of_its_folder(
    page: Any, uploaded: Video, key: rsa.RSAPrivateKey
) -> None:
    folder = f"/tenants/1/video/hls/{uploaded.pk}/"
    cookies = {name: morsel.value for name, morsel in page.cookies.items()}
    assert f'data-source="{folder}master.m3u8"' in page.content.decode()
    master = f"https://api.example{folder}master.m3u8"
    assert admits(key.public_key(), cookies, master, at=time.time() + 3600)
    assert not admits(key.public_key(), cookies, master, at=time.time() + 24 * 3600)


def test_cookies_go_to_the_folder_alone_and_to_no_script(page: Any, uploaded: Video) -> None:
    assert len(page.cookies) == 4
    for morsel in page.cookies.values():
        assert morsel["path"] == f"/tenants/1/video/hls/{uploaded.pk}/"
        assert morsel["secure"] and morsel["httponly"]
        assert morsel["samesite"] == "Lax"
        assert morsel["max-age"] == morsel["expires"] == morsel["domain"] == ""


def test_the_page_may_load_from_its_own_origin_alone(page: Any) -> None:
    policy = page["Content-Security-Policy"]
    assert "connect-src 'self' ;" in policy
    assert "127.0.0.1" not in policy


def test_a_video_that_is_not_ready_sets_no_cookie(api: Any, uploaded: Video, page: Any) -> None:
    Video.objects.update(state="FAILED")
    answer = api.client.get(page.wsgi_request.path)
    assert answer.status_code == 409
    assert not answer.cookies


def test_without_a_key_the_page_sets_no_cookie(api: Any, uploaded: Video, page_files: None) -> None:
    Video.objects.update(state="READY")
    path = "/" + api.progress(uploaded.pk).json()["watch_url"].split("/", 3)[3]
    answer = api.client.get(path)
    assert 'data-source="hls/master.m3u8"' in answer.content.decode()
    assert not answer.cookies


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PLAYBACK_KEY_PAIR_ID": KEY_PAIR_ID}, "missing or empty: PLAYBACK_PRIVATE_KEY"),
        ({"PLAYBACK_PRIVATE_KEY": "c2VjcmV0"}, "missing or empty: PLAYBACK_KEY_PAIR_ID"),
        (
            {"PLAYBACK_KEY_PAIR_ID": KEY_PAIR_ID, "PLAYBACK_PRIVATE_KEY": "c2VjcmV0"},
            "PLAYBACK_PRIVATE_KEY must be an RSA private key",
        ),
        (
            {"PLAYBACK_KEY_PAIR_ID": KEY_PAIR_ID, "PLAYBACK_PRIVATE_KEY": "-----BEGIN"},
            "PLAYBACK_PRIVATE_KEY must be an RSA private key",
        ),
        (
            {
                "PLAYBACK_KEY_PAIR_ID": KEY_PAIR_ID,
                "PLAYBACK_PRIVATE_KEY": private_text(ec.generate_private_key(ec.SECP256R1())),
            },
            "PLAYBACK_PRIVATE_KEY must be an RSA private key",
        ),
    ],
)
def test_half_a_key_stops_the_api_without_showing_it(
    environment: dict[str, str], given: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        load_api_settings({**environment, **given})
    assert "c2VjcmV0" not in str(caught.value)


def test_a_whole_key_is_taken_and_never_shown(
    environment: dict[str, str], key: rsa.RSAPrivateKey
) -> None:
    text = private_text(key)
    given = {"PLAYBACK_KEY_PAIR_ID": KEY_PAIR_ID, "PLAYBACK_PRIVATE_KEY": text}
    found = load_api_settings({**environment, **given})
    assert found.playback is not None
    assert text in found.secrets
    assert text not in repr(found)

"""A provider that can fail, and the two ways to speak to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.unit.messaging.provider_server import (
    API_KEY,
    API_SECRET,
    KAKAO_KEY,
    USER_ID,
    ProviderServer,
    provider_server,
)
from worker_images.messaging import aligo_provider
from worker_images.messaging.aligo_provider import AligoProvider
from worker_images.messaging.provider import Provider
from worker_images.messaging.solapi_provider import SolapiProvider


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with provider_server() as state:
        yield state


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aligo_provider, "_TIMEOUT", httpx.Timeout(1, connect=1))


def solapi_at(endpoint: str, *, api_key: str = API_KEY) -> SolapiProvider:
    return SolapiProvider(
        api_key=api_key, api_secret=API_SECRET, kakao_channel=KAKAO_KEY, endpoint=endpoint
    )


def aligo_at(endpoint: str, *, api_key: str = API_KEY, test_mode: bool = False) -> AligoProvider:
    return AligoProvider(
        api_key=api_key,
        user_id=USER_ID,
        test_mode=test_mode,
        kakao_sender_key=KAKAO_KEY,
        sms_endpoint=endpoint,
        kakao_endpoint=endpoint,
    )


@pytest.fixture(params=[solapi_at, aligo_at], ids=["solapi", "aligo"])
def provider_at(request: pytest.FixtureRequest) -> Callable[..., Provider]:
    """Make a provider that asks at an endpoint."""
    return request.param

"""What the messaging worker is told, and what it refuses to start with."""

from __future__ import annotations

import pytest

from worker_images.base.errors import ConfigurationError
from worker_images.messaging.aligo_provider import AligoProvider
from worker_images.messaging.settings import load_messaging_settings, open_provider
from worker_images.messaging.solapi_provider import SolapiProvider

ALIGO = {
    "MESSAGING_PROVIDER": "aligo",
    "ALIGO_TESTMODE": "Y",
    "ALERT_TOPIC_ARN": "arn:topic",
    "MESSAGING_API_KEY": "unit-api-key",
    "MESSAGING_USER_ID": "unit-user",
}
SOLAPI = {**ALIGO, "MESSAGING_PROVIDER": "solapi", "MESSAGING_API_SECRET": "unit-api-secret"}


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "MESSAGING_PROVIDER, ALIGO_TESTMODE, ALERT_TOPIC_ARN"),
        ({**ALIGO, "MESSAGING_PROVIDER": "fax"}, "'fax' must be one of aligo, solapi"),
        ({**ALIGO, "ALIGO_TESTMODE": "yes"}, "ALIGO_TESTMODE='yes' must be Y or N"),
        ({**ALIGO, "MESSAGING_API_KEY": ""}, "MESSAGING_API_KEY"),
        ({**ALIGO, "MESSAGING_USER_ID": " "}, "MESSAGING_USER_ID"),
        ({**SOLAPI, "MESSAGING_API_SECRET": ""}, "MESSAGING_API_SECRET"),
    ],
)
def test_nonsense_is_refused_by_the_variables_name(environ: dict[str, str], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        load_messaging_settings(environ)


@pytest.mark.parametrize(("environ", "kind"), [(ALIGO, AligoProvider), (SOLAPI, SolapiProvider)])
def test_the_configured_provider_is_opened(environ: dict[str, str], kind: type) -> None:
    assert isinstance(open_provider(load_messaging_settings(environ)), kind)


def test_a_provider_is_asked_at_its_own_address_unless_told_otherwise() -> None:
    assert load_messaging_settings(ALIGO).endpoint == ""
    told = load_messaging_settings({**ALIGO, "MESSAGING_ENDPOINT": "http://127.0.0.1:9"})
    assert told.endpoint == "http://127.0.0.1:9"


def test_no_secret_is_in_the_settings_representation() -> None:
    shown = repr(load_messaging_settings({**SOLAPI, "KAKAO_SENDER_KEY": "unit-kakao"}))
    for secret in ("unit-api-key", "unit-api-secret", "unit-kakao"):
        assert secret not in shown

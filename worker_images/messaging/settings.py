"""What the messaging fleet's containers are told besides the common settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.contracts import environment as names
from worker_images.base.errors import ConfigurationError
from worker_images.base.settings import require
from worker_images.messaging.aligo_provider import KAKAO_ENDPOINT, SMS_ENDPOINT, AligoProvider
from worker_images.messaging.provider import Provider
from worker_images.messaging.solapi_provider import SOLAPI_ENDPOINT, SolapiProvider

_TEST_MODE = "ALIGO_TESTMODE"


@dataclass(frozen=True)
class MessagingSettings:
    """Which provider, as whom, and where administrators are told of its outages.

    `kakao_sender_key` is empty where no Alimtalk are sent; `endpoint` where the provider is asked
    at its own address; the credentials that the provider does not use are empty.
    """

    provider: str
    aligo_test_mode: bool
    alert_topic_arn: str
    endpoint: str
    user_id: str
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    kakao_sender_key: str = field(repr=False)


def load_messaging_settings(environ: Mapping[str, str]) -> MessagingSettings:
    """Return the settings that the environment holds.

    Raises: ConfigurationError naming the variable and what is allowed.
    """
    require(environ, names.MESSAGING_FLEET)
    provider = environ["MESSAGING_PROVIDER"]
    if provider not in names.MESSAGING_CREDENTIALS:
        allowed = ", ".join(names.MESSAGING_CREDENTIALS)
        raise ConfigurationError(f"MESSAGING_PROVIDER={provider!r} must be one of {allowed}")
    if environ[_TEST_MODE] not in ("Y", "N"):
        raise ConfigurationError(f"{_TEST_MODE}={environ[_TEST_MODE]!r} must be Y or N")
    credentials = names.MESSAGING_CREDENTIALS[provider]
    require(environ, [name for name in credentials if name != names.KAKAO_SENDER_KEY])
    return MessagingSettings(
        provider=provider,
        aligo_test_mode=environ[_TEST_MODE] == "Y",
        alert_topic_arn=environ["ALERT_TOPIC_ARN"],
        endpoint=environ.get(names.MESSAGING_ENDPOINT, ""),
        user_id=environ.get("MESSAGING_USER_ID", ""),
        api_key=environ["MESSAGING_API_KEY"],
        api_secret=environ.get("MESSAGING_API_SECRET", ""),
        kakao_sender_key=environ.get(names.KAKAO_SENDER_KEY, ""),
    )


def open_provider(settings: MessagingSettings) -> Provider:
    """Return the configured provider; it connects when it is first asked."""
    if settings.provider == AligoProvider.name:
        return AligoProvider(
            api_key=settings.api_key,
            user_id=settings.user_id,
            test_mode=settings.aligo_test_mode,
            kakao_sender_key=settings.kakao_sender_key,
            sms_endpoint=settings.endpoint or SMS_ENDPOINT,
            kakao_endpoint=settings.endpoint or KAKAO_ENDPOINT,
        )
    return SolapiProvider(
        api_key=settings.api_key,
        api_secret=settings.api_secret,
        kakao_channel=settings.kakao_sender_key,
        endpoint=settings.endpoint or SOLAPI_ENDPOINT,
    )

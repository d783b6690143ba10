"""A worker that is told too little does not start, and says which variable it lacks."""

from __future__ import annotations

import pytest

from config.contracts import environment as names
from worker_images.base.errors import ConfigurationError
from worker_images.base.settings import load_worker_settings
from worker_images.video.settings import load_video_settings

NUMBERS = {
    "DB_PORT": "5432",
    "REDIS_PORT": "6379",
    "IDLE_S": "60",
    "ATTEMPTS": "5",
    "VISIBILITY_TIMEOUT_S": "300",
    "TIME_LIMIT_S": "36000",
    "CONCURRENCY": "1",
    "HANG_LIMIT_S": "300",
    "STORAGE_PROVIDER": "s3",
}


def environ(**changes: str) -> dict[str, str]:
    complete = {name: f"value-of-{name}" for name in (*names.WORKERS, *names.WORKER_FLEET)}
    return {**complete, **NUMBERS, **changes}


def test_a_complete_environment_is_read_once_into_values() -> None:
    settings = load_worker_settings(environ())
    assert settings.queue_names["video"] == "value-of-VIDEO_SQS_QUEUE_NAME"
    assert (settings.visibility_timeout_s, settings.database.port) == (300, 5432)
    assert settings.group_name == "value-of-AUTO_SCALING_GROUP_NAME"


@pytest.mark.parametrize("how", ["missing", "empty", "blank"])
@pytest.mark.parametrize("name", [*names.WORKERS, *names.WORKER_FLEET])
def test_each_required_variable_is_named_when_it_is_not_there(name: str, how: str) -> None:
    given = environ(**{name: "" if how == "empty" else "  "})
    if how == "missing":
        del given[name]
    if (name, how) == ("AUTO_SCALING_GROUP_NAME", "missing"):
        assert load_worker_settings(given).group_name is None
        return
    with pytest.raises(ConfigurationError, match=name):
        load_worker_settings(given)


def test_every_missing_variable_is_named_at_once() -> None:
    given = environ()
    del given["DB_HOST"], given["IDLE_S"]
    with pytest.raises(ConfigurationError, match=r"DB_HOST.*IDLE_S"):
        load_worker_settings(given)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("IDLE_S", "soon", "at least 1"),
        ("VISIBILITY_TIMEOUT_S", "2", "at least 3"),
        ("STORAGE_PROVIDER", "gcs", "s3, r2"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}='{value}'.*{allowed}"):
        load_worker_settings(environ(**{name: value}))


def test_r2_needs_its_own_credentials() -> None:
    with pytest.raises(ConfigurationError, match=r"R2_ENDPOINT.*R2_SECRET_KEY"):
        load_worker_settings(environ(STORAGE_PROVIDER="r2"))


def test_the_video_settings_name_their_variable() -> None:
    with pytest.raises(ConfigurationError, match="VIDEO_LADDER"):
        load_video_settings({"VIDEO_SEGMENT_S": "6"})
    given = {"VIDEO_SEGMENT_S": "6", "VIDEO_PART_S": "60", "VIDEO_RATE_CONTROL": "crf"}
    with pytest.raises(ConfigurationError, match=r"VIDEO_LADDER.*721:1"):
        load_video_settings({"VIDEO_LADDER": "721:1", **given})
    settings = load_video_settings({"VIDEO_LADDER": "720:2500,360:800", **given})
    assert [rung.short_side for rung in settings.ladder] == [360, 720]


def test_no_representation_of_the_settings_shows_a_secret() -> None:
    given = environ(
        STORAGE_PROVIDER="r2", R2_ENDPOINT="https://e", R2_ACCESS_KEY="ak-1", R2_SECRET_KEY="sk-1"
    )
    settings = load_worker_settings(given)
    shown = repr(settings)
    assert settings.secrets
    for secret in settings.secrets:
        assert secret not in shown

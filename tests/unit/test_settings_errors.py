"""Wrong configuration stops with one line: file, key, value, what is allowed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings import DIRECTORY, SettingsError, load_settings, release_tag

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a copy of the environments that a test may spoil."""
    return Path(shutil.copytree(DIRECTORY, tmp_path / "environments"))


def spoil(path: Path, key: str, value: Any) -> None:
    """Set a dotted key of a YAML file; Ellipsis removes it."""
    data = yaml.safe_load(path.read_text("utf-8"))
    *above, last = key.split(".")
    node = data
    for part in above:
        node = node.setdefault(part, {})
    if value is ...:
        del node[last]
    else:
        node[last] = value
    path.write_text(yaml.safe_dump(data), "utf-8")


AI_ON_VIDEO = {
    "queues": ["video"],
    "instance_types": ["c7g.large"],
    "disk_gb": 20,
    "min_instances": 0,
    "max_instances": 1,
    "idle_s": 60,
    "time_limit_s": 600,
    "stop_timeout_s": 30,
    "termination_wait_s": 60,
    "oldest_message_alarm_s": 600,
}
EXTERNAL = {"host": "db.example.com", "port": 70000, "credentials_secret_name": "academy/db"}
PLAYBACK = {
    "public_key_pem": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
    "private_key_secret_name": "academy/playback",
}

CASES = [
    (
        "workers.video.max_instance",
        3,
        "max_instance: unknown key; allowed: ",
        "(did you mean 'max_instances'?)",
    ),
    ("colour", "red", "colour: unknown key; allowed: ai, alarms, api, ", "workers"),
    ("database.external", EXTERNAL, "database.external.port: 70000 is not allowed", "1 to 65535"),
    (
        "storage.buckets.video",
        ...,
        "storage.buckets.video: missing; allowed: text matching",
        "[a-z0-9]",
    ),
    (
        "storage.buckets.video",
        "Academy_Video",
        "storage.buckets.video: 'Academy_Video'",
        "[a-z0-9]",
    ),
    ("storage.buckets.video", "academy-prod-x", None, None),
    (
        "storage.buckets.video",
        "academy-ai",
        "storage.buckets.video: 'academy-ai'",
        "other than that of 'ai'",
    ),
    (
        "workers.ai",
        AI_ON_VIDEO,
        "workers.ai.queues.0: 'video' is not allowed",
        "belongs to workers.video",
    ),
    (
        "workers.robot",
        AI_ON_VIDEO,
        "workers.robot: unknown key; allowed: ai, messaging, video",
        "video",
    ),
    (
        "workers.video.min_instances",
        21,
        "workers.video.min_instances: 21",
        "at most max_instances (20)",
    ),
    (
        "workers.video.instance_types",
        ["c7g.large", "c7i.large"],
        "workers.video.instance_types.1: 'c7i.large'",
        "[0-9]+g",
    ),
    ("workers.video.instance_types", [], "workers.video.instance_types: []", "1 to 40"),
    ("workers.video.spot_percent", 101, "workers.video.spot_percent: 101", "0 to 100"),
    # systemd would kill Docker before.
    ("workers.video.stop_timeout_s", 81, "workers.video.stop_timeout_s: 81", "1 to 80"),
    ("workers.ai", None, None, None),
    ("network.nat_zones", 3, "network.nat_zones: 3", "1 to 2, the number of availability_zones"),
    (
        "network",
        {"nat": "none", "interface_endpoints": True},
        "storage.provider: 'r2' is not allowed; allowed: s3",
        "leaves no way to the internet",
    ),
    ("workers.video.min_instances", -1, "workers.video.min_instances: -1", "0 to 100"),
    (
        "workers.video.queues",
        ["video", "messaging"],
        "workers.video.queues.1: 'messaging'",
        "timing",
    ),
    ("api.domain_name", None, "api.domain_name: null is not allowed", "local environment alone"),
    ("api.max_instances", 1, "api.max_instances: 1", "2 to 50 with compute 'ec2'"),
    ("api.compute", "lambda", "api.compute: 'lambda'", "one of ec2, ecs"),
    ("storage.r2", None, "storage.r2: null", "endpoint and credentials_secret_name"),
    ("aws.account_id", 123456789012, "aws.account_id: 123456789012", "[0-9]{12}"),
    ("protect_data", "yes please", "protect_data: 'yes please'", "true or false"),
    ("log_retention_days", 4, "log_retention_days: 4", "one of 1, 3, 5, 7"),
    (
        "network.availability_zones",
        ["us-east-1a", "us-east-1b"],
        "network.availability_zones.0",
        "zones of ap",
    ),
    ("network.cidr", "10.0.0.1/16", "network.cidr: '10.0.0.1/16'", "an IPv4 network"),
    (
        "video.ladder",
        [{"short_side_px": 361, "video_kbps": 800, "crf": 23}],
        "video.ladder.0.short_side_px",
        "144 to 4320",
    ),
    ("video.ladder", [], "video.ladder: []", "1 or more"),
    ("video.part_s", 62, "video.part_s: 62", "a multiple of segment_s (6)"),
    ("video.rate_control", "cbr", "video.rate_control: 'cbr'", "one of crf, abr"),
    ("workers.messaging.concurrency", 0, "workers.messaging.concurrency: 0", "1 to 50"),
    (
        "workers.messaging.hang_limit_s",
        301,
        "workers.messaging.hang_limit_s: 301",
        "5 to 300 (time_limit_s)",
    ),
    ("workers.ai.job_s", 3601, "workers.ai.job_s: 3601", "1 to 3600 (time_limit_s)"),
    (
        "workers.video.warm_pool",
        {"size": 2},
        "workers.video.warm_pool: {'size': 2}",
        "null with spot_percent 100: no Spot instance is warmed",
    ),
    (
        "workers.messaging.warm_pool",
        {"size": 3},
        "workers.messaging.warm_pool.size: 3",
        "1 to 2 (max_instances)",
    ),
    ("workers.messaging.warm_pool", {"size": 2}, None, None),
    ("workers.messaging.warm_pool", {"size": 0}, "workers.messaging.warm_pool.size: 0", "1 to 100"),
    (
        "workers.video.termination_wait_s",
        90,
        "workers.video.termination_wait_s: 90",
        "above 90 (checkpoint_s)",
    ),
    (
        "workers.messaging.termination_wait_s",
        30,
        "workers.messaging.termination_wait_s: 30",
        "above 30 (stop_timeout_s)",
    ),
    (
        "workers.ai.oldest_message_alarm_s",
        180,
        "workers.ai.oldest_message_alarm_s: 180",
        "above 180 (boot_s and start_within_s)",
    ),
    ("scaling.boot_limit_s", 300, "scaling.boot_limit_s: 300", "above 300, 2 times workers.video."),
    ("scaling.boot_limit_s", 301, None, None),
    ("scaling.failed_boots", 0, "scaling.failed_boots: 0", "1 to 100"),
    ("messaging.provider", "nhn", "messaging.provider: 'nhn'", "one of aligo, solapi"),
    (
        "messaging.credentials_secret_name",
        None,
        "messaging.credentials_secret_name: null",
        "null in the local environment alone",
    ),
    (
        "messaging",
        {"provider": "solapi", "test_mode": True, "credentials_secret_name": "academy/messaging"},
        "messaging.test_mode: True",
        "Solapi has no test mode",
    ),
    ("edge.provider", "akamai", "edge.provider: 'akamai'", "one of none, cloudfront, cloudflare"),
    ("edge.provider", "none", "edge.domain_name: 'hakwonplus.com'", "null with provider 'none'"),
    ("edge.domain_name", None, "edge.domain_name: null", "a host name with provider 'cloudflare'"),
    (
        "edge.domain_name",
        "api.hakwonplus.com",
        "edge.domain_name: 'api.hakwonplus.com'",
        "other than api.domain_name",
    ),
    (
        "edge.domain_name",
        "www.hakwonplus.com",
        "storage.browser_origins: ['https://hakwonplus.com'",
        "with https://www.hakwonplus.com (edge.domain_name)",
    ),
    ("edge.requests_per_minute", 9, "edge.requests_per_minute: 9", "10 to 100000"),
    (
        "edge.playback",
        PLAYBACK,
        "edge.playback: 'a key' is not allowed",
        "null unless edge.provider is 'cloudfront' and storage.provider 's3'",
    ),
    (
        "edge.playback",
        {**PLAYBACK, "public_key_pem": "MIIB"},
        "edge.playback.public_key_pem: 'MIIB'",
        "BEGIN PUBLIC KEY",
    ),
    ("environment", "dev", "environment: 'dev'", "'prod'"),
    ("database.rds.backup_days", 6, "database.rds.backup_days: 6", "7 to 35 with protect_data"),
    ("database.rds.read_replicas", 3, "database.rds.read_replicas: 3", "0 to 2"),
    ("database.rds.rotation_days", 0, "database.rds.rotation_days: 0", "1 to 365"),
    ("database.tls", False, "database.tls: False", "true; false in the local environment alone"),
    ("redis.tls", False, "redis.tls: False", "true; false in the local environment alone"),
    ("redis.elasticache.shards", 0, "redis.elasticache.shards: 0", "1 to 15"),
    ("backup.lock_after_days", 2, "backup.lock_after_days: 2", "3 to 365"),
    ("backup", None, None, None),
]


@pytest.mark.parametrize(("key", "value", "start", "allowed"), CASES)
def test_a_wrong_value_is_one_line_with_key_and_allowed_values(
    directory: Path, key: str, value: Any, start: str | None, allowed: str | None
) -> None:
    spoil(directory / "prod.yaml", key, value)
    if start is None:
        load_settings("prod", directory=directory)
        return
    with pytest.raises(SettingsError) as caught:
        load_settings("prod", directory=directory)
    message = str(caught.value)
    assert message.startswith(f"{directory}/prod.yaml: ")
    assert "\n" not in message
    assert start in message
    assert str(allowed) in message


def test_a_wrong_default_names_base_yaml(directory: Path) -> None:
    spoil(directory / "base.yaml", "scaling.tick_s", 61)
    with pytest.raises(SettingsError, match=r"base\.yaml: scaling\.tick_s: 61 .*allowed: 1 to 60"):
        load_settings("local", directory=directory)


def test_a_right_value_of_the_environment_hides_a_wrong_default(directory: Path) -> None:
    spoil(directory / "base.yaml", "workers.video.max_instances", 7000)
    assert load_settings("prod", directory=directory).workers["video"].max_instances == 20


def test_several_wrong_values_are_still_one_line(directory: Path) -> None:
    spoil(directory / "prod.yaml", "api.disk_gb", 1)
    spoil(directory / "prod.yaml", "api.task_cpu", 3)
    with pytest.raises(SettingsError, match=r"^[^\n]*api\.disk_gb[^\n]*\(and 1 more\)$"):
        load_settings("prod", directory=directory)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: 1\na: 2\n", "line 2: key 'a' stands twice"),
        ("a: [1\n", "not YAML"),
        ("- a\n", "holds list; allowed: a mapping"),
        ("", "holds NoneType"),
    ],
)
def test_a_file_that_is_no_mapping_is_named(directory: Path, content: str, expected: str) -> None:
    (directory / "dev.yaml").write_text(content, "utf-8")
    with pytest.raises(SettingsError, match=r"dev\.yaml: ") as caught:
        load_settings("dev", directory=directory)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cloudfront_needs_a_region_whose_addresses_are_known(directory: Path) -> None:
    spoil(directory / "dev.yaml", "aws", {"region": "eu-west-3"})
    spoil(directory / "dev.yaml", "network.availability_zones", ["eu-west-3a", "eu-west-3b"])
    with pytest.raises(SettingsError, match=r"aws\.region: 'eu-west-3' .* one of ap-northeast-2"):
        load_settings("dev", directory=directory)


@pytest.mark.parametrize("name", ["prdo", "base", "", None])
def test_an_unknown_environment_lists_those_that_exist(name: str | None) -> None:
    with pytest.raises(SettingsError, match=r"allowed: dev, local, prod, staging"):
        load_settings(name)


@pytest.mark.parametrize("tag", [None, "", "latest", "a b", "-x", "a" * 129])
def test_an_unusable_image_tag_is_refused(tag: str | None) -> None:
    with pytest.raises(SettingsError, match=r"image_tag: .* allowed: -c image_tag="):
        release_tag(tag)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            '{"env": "prdo", "image_tag": "x"}',
            "'prdo' is unknown; allowed: dev, local, prod, staging",
        ),
        ('{"env": "local"}', "image_tag: missing; allowed: -c image_tag="),
    ],
)
def test_the_app_says_it_in_one_line_and_exits_1(given: str, expected: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env={
            "CDK_CONTEXT_JSON": given,
            "CDK_OUTDIR": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(Path.home()),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) == 1, done.stderr
    assert expected in lines[0]

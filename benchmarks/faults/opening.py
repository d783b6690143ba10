"""Starts everything around the workers, and makes what a deployment makes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import imageio_ffmpeg
import requests

from benchmarks.faults.world import (
    ATTEMPTS,
    GROUP,
    IMAGE,
    JOB_TABLES,
    ROOT,
    AheadClock,
    World,
)
from config.contracts.queues import QUEUES, max_receive_count
from local.clients import ACCOUNT, REGION
from local.hosts import Hosts, imds, spot
from local.server import SERVICES, EmbeddedAws, Surroundings, build
from tests.unit.api.servers import (
    ENVIRONMENT,
    free_port,
    postgres_server,
    redis_server,
    takes_connections,
    wait_until,
)
from tests.unit.messaging.provider_server import ProviderServer, provider_server

#: How long the provider takes to answer a text that it has accepted: kills shall meet it.
ANSWER_S = 0.6
_NOTE_TRANSITIONS = """
CREATE TABLE transitions (
    at timestamptz DEFAULT clock_timestamp(), job_table text, job_id uuid, before text, after text,
    attempt integer
);
CREATE FUNCTION note_transition() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO transitions (job_table, job_id, before, after, attempt)
    VALUES (TG_TABLE_NAME, NEW.id, OLD.state, NEW.state, NEW.attempt);
    RETURN NULL;
END $$;
"""
_NOTE_THOSE_OF = """
CREATE TRIGGER note AFTER UPDATE ON {table} FOR EACH ROW
WHEN (OLD.state <> NEW.state OR OLD.attempt <> NEW.attempt) EXECUTE FUNCTION note_transition();
"""
#: Notes what the video workers start, and becomes it.
_NOTING_FFMPEG = """#!/bin/sh
what=other
case "$*" in *-force_key_frames*) what=part ;; *"-c:a aac"*) what=whole ;; esac
for word; do case "$word" in http*) url="${{word%%\\?*}}" ;; esac; done
echo "$what $url" >> {log}
exec {ffmpeg} "$@"
"""


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    """Start everything but the workers, in an empty folder; end it with the block."""
    with ExitStack() as stack:
        postgres = postgres_server(_made(folder / "postgres"))
        redis = redis_server(_made(folder / "redis"))
        for server in (postgres, redis):
            stack.callback(server.stop)
            server.start()
        wait_until(takes_connections)
        notices: list[spot.SpotNotices] = []
        clock = AheadClock()
        aws = build(
            port=free_port(),
            clock=clock,
            services=SERVICES[:1],
            make_hosts=lambda around: _hosts(around, notices),
        )
        stack.callback(aws.stop)
        aws.start()
        provider = stack.enter_context(provider_server())
        provider.answers_after_s = ANSWER_S
        environ = _environment(aws, provider, folder)
        world = World(folder, postgres, redis, aws, clock, provider, notices[0], environ)
        _prepare(world)
        world.api = stack.enter_context(_api(world))
        yield world


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _hosts(around: Surroundings, notices: list[spot.SpotNotices]) -> Hosts:
    """Mount the metadata service; what is an instance here is the run's own to say."""
    notices.append(spot.SpotNotices(around.clients, around.clock))
    metadata = imds.Imds(around.clients, REGION, around.clock, notices[0])
    around.application.mount(imds.PREFIX, metadata)
    return Hosts()


def _environment(aws: EmbeddedAws, provider: ProviderServer, folder: Path) -> dict[str, str]:
    at = aws.endpoint.replace("localhost", "127.0.0.1")
    return {
        **ENVIRONMENT,
        "AWS_ENDPOINT_URL": at,
        "AWS_ACCESS_KEY_ID": "unit",
        "AWS_SECRET_ACCESS_KEY": "unit-aws-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ALLOWED_HOSTS": "127.0.0.1",
        "RATE_LIMIT_PER_MINUTE": "100000",
        "VIDEO_ATTEMPTS": str(ATTEMPTS["video"]),
        "MESSAGING_ENDPOINT": provider.endpoint,
        "IMAGEIO_FFMPEG_EXE": str(folder / "ffmpeg"),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(_made(folder / "tmp")),
    }


def _prepare(world: World) -> None:
    """Make the tables, the queues and their dead-letter queues, buckets, the group, the topic."""
    migrate = [sys.executable, "-m", "worker_images.api.manage", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=world.environ, check=True)
    world.rows(_NOTE_TRANSITIONS)
    for table in JOB_TABLES:
        world.rows(_NOTE_THOSE_OF.format(table=table))
    sqs = world.client("sqs")
    for queue in QUEUES:
        name = world.environ[queue.variable]
        sqs.create_queue(QueueName=f"{name}-dlq")
        redrive = {
            "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-dlq",
            "maxReceiveCount": max_receive_count(ATTEMPTS[queue.worker]),
        }
        sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(redrive)})
    for name in ("AI", "VIDEO", "EXCEL", "STORAGE"):
        world.client("s3").create_bucket(
            Bucket=world.environ[f"R2_{name}_BUCKET"],
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
    world.client("autoscaling").create_launch_configuration(
        LaunchConfigurationName=GROUP, ImageId=IMAGE, InstanceType="t3.small"
    )
    world.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        LaunchConfigurationName=GROUP,
        MinSize=0,
        MaxSize=10_000,
        AvailabilityZones=[f"{REGION}a"],
        NewInstancesProtectedFromScaleIn=True,
    )
    topic = world.client("sns").create_topic(Name="operators")["TopicArn"]
    world.environ["ALERT_TOPIC_ARN"] = topic
    ffmpeg = Path(world.environ["IMAGEIO_FFMPEG_EXE"])
    real = imageio_ffmpeg.get_ffmpeg_exe()
    ffmpeg.write_text(_NOTING_FFMPEG.format(log=world.encodes, ffmpeg=real))
    ffmpeg.chmod(0o755)
    world.encodes.touch()


@contextmanager
def _api(world: World) -> Iterator[str]:
    """Serve the API as its container does; yield its address."""
    at = f"127.0.0.1:{free_port()}"
    program = Path(sys.executable).with_name("gunicorn")
    settings = ["--config", "python:worker_images.api.gunicorn_conf", "--workers", "1"]
    with (world.folder / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *settings, "worker_images.api.wsgi:application"],
            cwd=ROOT,
            env={**world.environ, "API_BIND": at},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: _answers(f"http://{at}/healthz"))
        yield f"http://{at}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).ok
    except requests.RequestException:
        return False

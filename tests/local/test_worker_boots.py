"""The boot script of a worker, as EC2 gets it, on an instance of the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.contracts.boot_records import STREAM_PREFIX, BootRecord, decode_boot
from config.contracts.fields import Undecodable
from stacks.constructs.boot import Boot
from stacks.constructs.boot_outcome import WorkerBoot
from stacks.constructs.worker_user_data import worker_user_data
from tests.local.embedded import Embedded, embedded
from tests.local.waiting import until

REGISTRY = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"
AS_WORKER: dict[str, Any] = {"IamInstanceProfile": {"Name": "workers"}}
#: Stands for the image's two programs: what renders the environment, and the worker.
RENDER = "print('DB_HOST=db')"
WORK = """
import pathlib, sys, tempfile, time
if '{word}' == 'breaks':
    sys.exit('worker does not start: DB_PORT is missing')
pathlib.Path(tempfile.gettempdir(), 'academy-worker-polled').touch()
time.sleep(600)
"""


def put_image(state: Path, word: str) -> None:
    """Put an image below an embedded AWS's state; `word`, its tag, says what its worker does."""
    app = state / "images" / "academy-test" / word / "rootfs" / "app"
    (app / "worker_images" / "base").mkdir(parents=True)
    (app / "worker_images" / "base" / "render_env.py").write_text(RENDER)
    (app / "work.py").write_text(WORK.format(word=word))
    facts: dict[str, Any] = {"env": {}, "workdir": "/app", "user": "root", "entrypoint": []}
    (app.parent.parent / "image.json").write_text(
        json.dumps({**facts, "command": ["python", "-m", "work"]})
    )


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """An AWS with a log group, and an image for each word that says what its worker does."""
    state = tmp_path_factory.mktemp("state")
    for word in ("works", "breaks"):
        put_image(state, word)
    with embedded(state) as found:
        found.client("logs").create_log_group(logGroupName="boots")
        iam = found.client("iam")
        iam.create_role(RoleName="worker", AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName="workers")
        iam.add_role_to_instance_profile(InstanceProfileName="workers", RoleName="worker")
        yield found


def script(word: str, **changes: Any) -> str:
    """Return the boot script of a worker of the image `word`."""
    boot = Boot(
        region="ap-northeast-2",
        registry=REGISTRY,
        image=f"{REGISTRY}/academy-test:{word}",
        paths=["/academy/workers/env"],
        log_group="boots",
        stop_timeout_s=5,
    )
    worker = WorkerBoot(
        environment="local",
        kind="video",
        group="g",
        container="academy-test",
        variables={},
        scratch="/dev/xvdb",
        limit_s=60,
        probe_every_s=300,
        pooled=False,
    )
    return worker_user_data(boot, replace(worker, **changes))


def record_of(aws: Embedded, instance_id: str) -> BootRecord | None:
    """Return what an instance has put on record."""
    logs = aws.client("logs")
    stream = f"{STREAM_PREFIX}{instance_id}"
    try:
        events = logs.get_log_events(logGroupName="boots", logStreamName=stream)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return None
    for event in events:
        try:
            return decode_boot(event["message"])
        except Undecodable:
            continue
    return None


def recorded(aws: Embedded, instance_id: str) -> BootRecord:
    until(lambda: record_of(aws, instance_id) is not None, timeout_s=60)
    found = record_of(aws, instance_id)
    assert found is not None
    return found


def test_a_boot_is_on_record_once_its_worker_looks_into_its_queue(aws: Embedded) -> None:
    instance_id = aws.launch(script("works"), **AS_WORKER)
    record = recorded(aws, instance_id)
    assert (record.instance_id, record.failed, record.reason) == (instance_id, False, "")
    assert instance_id in aws.instances.running()
    log = aws.instances.home(instance_id).boot_log.read_text()
    assert "step=work" in log
    assert "step=leave" not in log


def test_a_failed_boot_names_its_step_and_reason_and_waits_to_be_looked_at(aws: Embedded) -> None:
    """Its group, which does not exist here, cannot take it out."""
    instance_id = aws.launch(script("breaks"), **AS_WORKER)
    record = recorded(aws, instance_id)
    assert (record.instance_id, record.failed, record.step) == (instance_id, True, "run")
    assert record.reason == "worker does not start: DB_PORT is missing"
    log = aws.instances.home(instance_id).boot_log
    until(lambda: "it stays 300 s to be looked at" in log.read_text())
    assert instance_id in aws.instances.running()

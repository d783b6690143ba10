"""An instance that is stopped keeps what it wrote, and boots again by its per-boot scripts."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from local.hosts.instances import KEPT_DIRECTORIES
from local.processes import is_running, record
from tests.local.embedded import Embedded, embedded
from tests.local.waiting import until

FIRST = r"""#!/bin/bash
exec >>/var/log/academy-boot.log 2>&1
mkdir -p /var/lib/cloud/scripts/per-boot /var/lib/academy
for name in b a; do
  printf '#!/bin/bash\necho %s >>/var/lib/academy/said\nsleep 600\n' "$name" \
    >/var/lib/cloud/scripts/per-boot/"$name"
done
sed -i /sleep/d /var/lib/cloud/scripts/per-boot/a
chmod 700 /var/lib/cloud/scripts/per-boot/*
echo first >/var/lib/academy/said
sleep 600
"""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded(tmp_path_factory.mktemp("state")) as found:
        yield found


def said(aws: Embedded, instance_id: str) -> list[str]:
    path = aws.instances.home(instance_id).root / "var/lib/academy/said"
    return path.read_text().split() if path.exists() else []


def halted(aws: Embedded, instance_id: str) -> None:
    until(lambda: said(aws, instance_id) != [])
    aws.instances.halt(instance_id, 5)
    until(lambda: not aws.instances.runs(instance_id))


def test_a_start_runs_the_scripts_for_each_boot_and_nothing_ran_in_between(aws: Embedded) -> None:
    instance_id = aws.launch(FIRST)
    until(lambda: said(aws, instance_id) == ["first"])
    host = int((aws.instances.home(instance_id).directory / "host.pid").read_text())
    machine = record("host", host)
    halted(aws, instance_id)
    assert not is_running(machine)
    assert aws.instances.ended() == [], "it did not end by itself"
    aws.instances.start(instance_id)
    until(lambda: said(aws, instance_id) == ["first", "a", "b"])
    assert aws.instances.running() == [instance_id]
    aws.instances.stop_all(1)


def test_only_what_stands_still_can_be_started(aws: Embedded) -> None:
    instance_id = aws.launch(FIRST)
    with pytest.raises(ValueError, match="is not stopped"):
        aws.instances.start(instance_id)
    halted(aws, instance_id)
    aws.instances.stop(instance_id, 1)  # as EC2's terminate does
    with pytest.raises(ValueError, match="is not stopped"):
        aws.instances.start(instance_id)


def test_the_directory_of_a_halted_instance_outlives_those_of_later_ones(aws: Embedded) -> None:
    instance_id = aws.launch(FIRST)
    halted(aws, instance_id)
    aws.instances.ended()
    home = aws.instances.home(instance_id).directory
    os.utime(home, (1, 1))
    for number in range(KEPT_DIRECTORIES + 1):
        (home.parent / f"i-{number:04}").mkdir(exist_ok=True)
    ended = aws.launch("#!/bin/bash\nshutdown -h now\n")
    until(lambda: aws.instances.ended() == [ended])
    assert home.exists()
    assert len(list(home.parent.iterdir())) == KEPT_DIRECTORIES + 1

"""An instance is a process that really runs its user data, and ends with all it started."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.hosts.container import load
from local.hosts.instance_home import InstanceHome
from local.hosts.instances import KEPT_DIRECTORIES
from local.hosts.user_data import UserDataError, lay_out, localised
from local.processes import is_running, record, signal_record
from tests.local.embedded import Embedded, embedded
from tests.local.waiting import until

REGISTRY = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"
IMAGE = f"{REGISTRY}/academy-test:1"
BASH = "#!/bin/bash\nset -Eeuo pipefail\nexec >>/var/log/academy-boot.log 2>&1\n"


@pytest.fixture(scope="module")
def shared_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """An AWS with one image, whose program is given by the run's command."""
    state = tmp_path_factory.mktemp("state")
    image = state / "images" / "academy-test" / "1"
    (image / "rootfs" / "app").mkdir(parents=True)
    (image / "rootfs" / "app" / "hello.py").write_text("print('hello')\n")
    facts = {"env": {"GREETING": "hi"}, "workdir": "/app", "user": "root"}
    facts |= {"command": ["python", "-m", "hello"], "entrypoint": []}
    (image / "image.json").write_text(json.dumps(facts))
    with embedded(state) as found:
        yield found


@pytest.fixture
def aws(shared_aws: Embedded) -> Iterator[Embedded]:
    """That AWS, with no instance before and none after the test."""
    yield shared_aws
    shared_aws.instances.stop_all()
    shared_aws.instances.ended()


def boot_log(aws: Embedded, instance_id: str) -> str:
    """Return what the user data has written so far."""
    path = aws.instances.home(instance_id).boot_log
    return path.read_text() if path.exists() else ""


def booted(aws: Embedded, instance_id: str) -> int | None:
    """Return the user data's exit code once it has ended."""
    path = aws.instances.home(instance_id).directory / "boot.json"
    return json.loads(path.read_text())["exit_code"] if path.exists() else None


def test_user_data_boots_with_shims_and_its_own_directories(aws):
    script = (
        BASH + "dnf install -y docker\nsystemctl enable --now docker\nmkdir -p /etc/academy\n"
        "echo x >/etc/academy/worker.env\necho y >/home/ec2-user/.env\n"
        'echo "keys=${AWS_ACCESS_KEY_ID:-none}"\n'
    )
    instance_id = aws.launch(script)
    until(lambda: booted(aws, instance_id) == 0)
    root = aws.instances.home(instance_id).root
    assert (root / "etc/academy/worker.env").read_text() == "x\n"
    assert (root / "home/ec2-user/.env").read_text() == "y\n"
    assert boot_log(aws, instance_id).splitlines() == [
        "dnf: this machine has what install -y docker asks for",
        "keys=none",
    ]
    assert aws.instances.running() == [instance_id]


def test_a_second_disk_is_a_directory_and_a_script_may_stay_for_the_next_boot(aws):
    script = (
        BASH + "mkfs.xfs -q -f -K /dev/xvdb\nmkdir -p /var/lib/academy/tmp\n"
        "mount -o noatime /dev/xvdb /var/lib/academy/tmp\necho z >/var/lib/academy/tmp/z\n"
        'install -D -m 700 "$0" /var/lib/cloud/scripts/per-boot/again\n'
    )
    instance_id = aws.launch(script)
    until(lambda: booted(aws, instance_id) == 0)
    home = aws.instances.home(instance_id)
    assert (home.root / "var/lib/academy/tmp/z").read_text() == "z\n"
    kept = home.root / "var/lib/cloud/scripts/per-boot/again"
    assert kept.read_text() == (home.directory / "user-data.sh").read_text()
    assert not Path("/var/lib/cloud/scripts/per-boot/again").exists()


def test_removing_what_is_not_there_fails_unless_it_is_forced(aws):
    script = BASH + "docker rm --force a && docker rm a || echo refused\n"
    instance_id = aws.launch(script)
    until(lambda: booted(aws, instance_id) == 0)
    assert boot_log(aws, instance_id).splitlines() == [
        "Error response from daemon: No such container: a",
        "Error response from daemon: No such container: a",
        "refused",
    ]


def test_a_failed_boot_leaves_the_instance_running(aws):
    instance_id = aws.launch(BASH + "false\n")
    until(lambda: booted(aws, instance_id) == 1)
    assert aws.instances.running() == [instance_id]


def test_shutdown_ends_the_instance(aws):
    instance_id = aws.launch(BASH + "shutdown -h now\nsleep 60\n")
    until(lambda: aws.instances.ended() == [instance_id])
    assert aws.instances.ended() == []


def test_directories_of_ended_instances_stay_until_enough_newer_ones_ended(aws):
    root = aws.state / "instances"
    for directory in root.iterdir():
        shutil.rmtree(directory)
    for number in range(KEPT_DIRECTORIES + 2):
        old = root / f"i-{number:04}"
        old.mkdir()
        os.utime(old, (number, number))
    running = aws.launch(BASH)
    ended = aws.launch(BASH + "shutdown -h now\n")
    until(lambda: aws.instances.ended() == [ended])

    newest = {f"i-{number:04}" for number in range(3, KEPT_DIRECTORIES + 2)}
    assert {path.name for path in root.iterdir()} == {running, ended, *newest}


def test_login_pull_and_run_with_credentials_from_the_metadata_service(aws):
    aws.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument="{}")
    aws.client("iam").create_instance_profile(InstanceProfileName="workers")
    aws.client("iam").add_role_to_instance_profile(InstanceProfileName="workers", RoleName="worker")
    script = BASH + (
        "export AWS_DEFAULT_REGION=ap-northeast-2\n"
        'TOKEN=$(curl -fsS --retry 5 -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 300" '
        '"${AWS_EC2_METADATA_SERVICE_ENDPOINT%/}/latest/api/token")\n'
        'echo "id=$(curl -fsS -H "X-aws-ec2-metadata-token: $TOKEN" '
        '"${AWS_EC2_METADATA_SERVICE_ENDPOINT%/}/latest/meta-data/instance-id")"\n'
        f"aws ecr get-login-password | docker login --username AWS --password-stdin {REGISTRY}\n"
        f"docker pull {IMAGE}\n"
        f"docker run --rm -e AWS_DEFAULT_REGION=ap-northeast-2 {IMAGE} python -c 'import boto3; "
        's = boto3.Session(); print("by", s.get_credentials().method, '
        's.client("sts").get_caller_identity()["Account"])\' >/etc/academy-who\n'
    ).replace("/etc/academy-who", "/var/lib/academy/who")
    script = script.replace("export AWS", "mkdir -p /var/lib/academy\nexport AWS", 1)
    instance_id = aws.launch(script, IamInstanceProfile={"Name": "workers"})
    until(lambda: booted(aws, instance_id) is not None, timeout_s=60)
    assert booted(aws, instance_id) == 0, boot_log(aws, instance_id)
    assert boot_log(aws, instance_id).splitlines() == [
        f"id={instance_id}",
        "Login Succeeded",
        IMAGE,
    ]
    home = aws.instances.home(instance_id)
    assert (home.root / "var/lib/academy/who").read_text() == "by iam-role 123456789012\n"
    assert list(home.log.glob("container-*")) == [], "--rm leaves no log behind"


def test_a_container_has_its_own_environment_alone(aws):
    script = BASH + (
        "export LEAK=1\nmkdir -p /etc/academy\nprintf 'A=1\\nB=\"q\"\\n' >/etc/academy/worker.env\n"
        f"docker run --env-file /etc/academy/worker.env -e B=2 -e 'C=x y' --read-only "
        f"--cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp {IMAGE} "
        "python -c 'import os, json, sys; print(json.dumps([dict(os.environ), os.getcwd()]))'\n"
    )
    instance_id = aws.launch(script)
    until(lambda: booted(aws, instance_id) is not None)
    env, cwd = json.loads(boot_log(aws, instance_id))
    assert (env["A"], env["B"], env["C"], env["GREETING"]) == ("1", "2", "x y", "hi")
    assert set(env) - {"A", "B", "C", "GREETING"} == {
        *("PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"),
        *("PYTHONUNBUFFERED", "AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
        "MESSAGING_ENDPOINT",
    }
    assert cwd == str(aws.state / "images/academy-test/1/rootfs/app")
    assert Path(env["TMPDIR"]).is_relative_to(aws.instances.home(instance_id).directory)


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (f"docker run --privileged {IMAGE}", 125, "docker: unknown flag: --privileged"),
        ("docker build .", 125, "docker: 'build' is not supported here"),
        (f"docker run -v /x:/data {IMAGE}", 125, "-v '/x:/data' is not supported here"),
        (f"docker run {REGISTRY}/academy-test:2", 125, "manifest unknown"),
        (f"docker pull {IMAGE}", 1, "no basic auth credentials"),
        (f"docker login --username AWS --password-stdin {REGISTRY}", 1, "no password on stdin"),
        (f"docker run {IMAGE} python -c 'raise SystemExit(7)'", 7, ""),
        (f"docker run {IMAGE} python -c 'import os; os.kill(os.getpid(), 9)'", 137, ""),
        (f"docker run {IMAGE}", 0, "hello"),
    ],
)
def test_docker_answers_as_docker_does(aws, command, code, message):
    instance_id = aws.launch(BASH + f"code=0; {command} </dev/null || code=$?; exit $code\n")
    until(lambda: booted(aws, instance_id) is not None)
    assert (booted(aws, instance_id), message in boot_log(aws, instance_id)) == (code, True)


def test_pulling_an_image_that_nobody_built_fails_as_docker_does(aws):
    script = f"echo pw | docker login --username AWS --password-stdin {REGISTRY}\n"
    instance_id = aws.launch(BASH + script + f"docker pull {REGISTRY}/academy-test:2\n")
    until(lambda: booted(aws, instance_id) == 1)
    assert "manifest unknown: Requested image not found" in boot_log(aws, instance_id)


LOOP = (
    "python -c 'import signal, subprocess, sys, time\n"
    'child = subprocess.Popen(["sleep", "63"])\n'
    "def stop(*_):\n"
    '    print("asked to stop", flush=True)\n'
    "    sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, stop)\n"
    'print("child", child.pid, flush=True)\n'
    "while True: time.sleep(0.05)'\n"
)


def child_of(aws: Embedded, instance_id: str, name: str):
    """Wait for LOOP's line, and return the record of its child process."""
    path = aws.instances.home(instance_id).log / f"{name}.log"
    until(lambda: path.exists() and path.read_text().endswith("\n"))
    return record("child", int(path.read_text().split()[-1]))


@pytest.mark.parametrize("detach", ["", "-d"])
def test_stopping_an_instance_asks_its_containers_and_leaves_no_process(aws, detach):
    instance_id = aws.launch(BASH + f"docker run {detach} --name work {IMAGE} {LOOP}")
    child = child_of(aws, instance_id, "work")
    assert is_running(child)
    aws.instances.stop(instance_id, 60)
    until(lambda: aws.instances.running() == [])
    assert aws.instances.ended() == []  # not by itself
    assert not is_running(child)
    log = (aws.instances.home(instance_id).log / "work.log").read_text()
    assert log.endswith("asked to stop\n")


def test_a_container_that_ignores_the_signal_is_killed_after_its_stop_timeout(aws):
    script = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    instance_id = aws.launch(
        BASH + f'docker run -d --name deaf --stop-timeout 1 {IMAGE} bash -c "{script}"\n'
    )
    log = aws.instances.home(instance_id).log / "deaf.log"
    until(lambda: log.exists() and log.read_text() == "up\n")
    aws.instances.stop(instance_id, 60)
    until(lambda: aws.instances.running() == [])
    assert aws.instances.ended() == []  # not by itself


def test_killing_a_container_ends_its_children_and_fails_its_run(aws):
    instance_id = aws.launch(BASH + f"docker run --name work {IMAGE} {LOOP}")
    child = child_of(aws, instance_id, "work")
    container = load(aws.instances.home(instance_id), "work")
    signal_record(container.process, signal.SIGKILL)
    until(lambda: booted(aws, instance_id) == 137)
    assert not is_running(child)
    assert aws.instances.running() == [instance_id]


def test_killing_an_instances_host_ends_everything_in_it(aws):
    instance_id = aws.launch(BASH + f"docker run -d --name work {IMAGE} {LOOP}sleep 64\n")
    child = child_of(aws, instance_id, "work")
    host = int((aws.instances.home(instance_id).directory / "host.pid").read_text())
    os.kill(host, signal.SIGKILL)
    until(lambda: aws.instances.ended() == [instance_id])
    until(lambda: not is_running(child))


def test_a_container_that_dies_is_started_again_unless_it_is_stopped(aws):
    script = (
        f"docker run -d --restart unless-stopped --name api {IMAGE} "
        "python -c 'import time; print(\"up\", flush=True); time.sleep(60)'\n"
    )
    instance_id = aws.launch(BASH + script)
    home = aws.instances.home(instance_id)
    until(lambda: (home.log / "api.log").exists() and (home.log / "api.log").read_text() == "up\n")
    signal_record(load(home, "api").process, signal.SIGKILL)
    until(lambda: (home.log / "api.log").read_text() == "up\nup\n")
    assert load(home, "api").restarts == 1
    aws.instances.stop(instance_id, 60)
    until(lambda: aws.instances.running() == [])
    assert aws.instances.ended() == []  # not by itself
    assert load(home, "api").status == "exited"


def test_a_published_port_is_found_through_the_instance(aws):
    server = (
        "python -c 'import http.server, os\n"
        'host, port = os.environ["API_BIND"].split(":")\n'
        "http.server.test(http.server.SimpleHTTPRequestHandler, bind=host, port=int(port))'\n"
    )
    instance_id = aws.launch(BASH + f"docker run -d -p 8000:8000 --name api {IMAGE} {server}")
    until(lambda: booted(aws, instance_id) == 0)
    port = aws.instances.port(instance_id, 8000)
    assert port is not None
    import urllib.request

    def answers() -> bool:
        try:
            return b"hello.py" in urllib.request.urlopen(f"http://127.0.0.1:{port}/").read()
        except OSError:
            return False

    until(answers)
    assert aws.instances.port(instance_id, 9) is None


def test_output_goes_to_cloudwatch_logs_line_by_line(aws):
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="workers")
    instance_id = aws.launch(
        BASH
        + "docker run --log-driver awslogs --log-opt awslogs-group=workers "
        + f'--log-opt awslogs-stream="video/i-1" {IMAGE} '
        + "python -c 'import sys; print(1); print(2); print(3, file=sys.stderr)'\n"
    )
    until(lambda: booted(aws, instance_id) == 0)
    events = logs.get_log_events(logGroupName="workers", logStreamName="video/i-1")["events"]
    assert sorted(event["message"] for event in events) == ["1", "2", "3"]


def test_docker_looks_at_containers_and_ends_them(aws):
    script = (
        f"docker run -d --name a {IMAGE} sleep 65 >/dev/null\n"
        "docker inspect a --format '{{.Config.Image}}'\ndocker inspect a --format "
        "'{{.State.Status}}'\ndocker rm a || echo refused\ndocker stop a\ndocker rm a\n"
        f"docker run --name b {IMAGE} >/dev/null\ndocker logs b\ndocker rm b\ndocker ps -a\n"
    )
    instance_id = aws.launch(BASH + script)
    until(lambda: booted(aws, instance_id) is not None)
    lines = boot_log(aws, instance_id).splitlines()
    assert lines[0] == IMAGE
    assert lines[1] in {"created", "running"}
    assert (
        lines[2] == "Error response from daemon: cannot remove container 'a': container is running"
    )
    assert lines[3:] == [
        *("refused", "a", "a", "hello", "b"),
        "CONTAINER ID   IMAGE   STATUS   NAMES",
    ]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("#cloud-config\n", "only scripts"),
        ("#!/bin/bash\necho x >/etc/passwd\n", r"line 2 uses /etc/passwd; allowed: /var/log"),
        ("#!/bin/bash\ncat /var/lib/academy-other\n", r"uses /var/lib/academy-other"),
    ],
)
def test_user_data_that_would_touch_the_machine_is_refused(script, message, tmp_path):
    with pytest.raises(UserDataError, match=message):
        localised(script, tmp_path)


def test_allowed_paths_are_mapped_wherever_they_stand(tmp_path):
    script = '#!/bin/bash\naws x file:///var/lib/academy/a.json; mkdir "/etc/academy" /latest/etc\n'
    root = str(tmp_path)
    assert localised(script, tmp_path) == (
        f'#!/bin/bash\naws x file://{root}/var/lib/academy/a.json; mkdir "{root}/etc/academy" '
        "/latest/etc\n"
    )


def test_shims_work_in_a_checkout_whose_path_a_shell_takes_apart(tmp_path, monkeypatch):
    scripts = tmp_path / "it's a venv"
    scripts.mkdir()
    (scripts / "aws").write_text("#!/no such/python\nimport sys\nprint(sys.argv[1:])\n")
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(scripts))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = InstanceHome(tmp_path / "it's an instance")
    lay_out(home, "#!/bin/bash\necho booted > /etc/academy/worker.env\n")
    answer = subprocess.run(
        [home.bin / "aws", "ec2", "two words"], capture_output=True, text=True, check=False
    )
    assert (answer.stdout, answer.stderr) == ("['ec2', 'two words']\n", "")
    assert "'" not in (home.directory / "user-data.sh").read_text()


def test_a_stale_link_to_an_instance_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = InstanceHome(tmp_path / "an instance")
    lay_out(home, "#!/bin/bash\necho booted > /etc/academy/worker.env\n")
    (link,) = tmp_path.glob("academy-instance-*")
    link.unlink()
    link.symlink_to(tmp_path)
    lay_out(home, "#!/bin/bash\necho booted > /etc/academy/worker.env\n")
    assert link.readlink() == home.root

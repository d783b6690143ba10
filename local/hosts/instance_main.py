"""An instance: `python -m local.hosts.instance_main <instance directory>`.

Boots by running the user data, at a later start what lies in scripts/per-boot, as cloud-init does,
and then stays, whatever became of the script, until it is asked to end (SIGTERM, also from its own
`shutdown`): containers are stopped as Docker stops them when a machine goes down, each within its
own stop time-out, and nothing outlives this process.
https://docs.cloud-init.io/en/latest/reference/modules.html#scripts-per-boot
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from local.hosts.container import Container, load
from local.hosts.instance_home import InstanceHome
from local.launcher import PR_SET_CHILD_SUBREAPER, prctl
from local.processes import is_running, kill, signal_record
from local.supervisor import launch, write_json

_WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
#: The last one takes the shell's place, so that it is the one that is held at the end.
_ONE_AFTER_THE_OTHER = 'while [ $# -gt 1 ]; do "$1"; shift; done; [ $# -eq 0 ] || exec "$1"'
#: Beyond a container's stop time-out: its monitor sends the last log lines.
_MARGIN_S = 5.0


def main(directory: Path) -> None:
    """Boot, wait to be ended, end everything."""
    home = InstanceHome(directory)
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    (directory / "host.pid").write_text(str(os.getpid()))
    boot = subprocess.Popen(
        launch(_scripts(home), os.getpid(), signal.SIGKILL),
        env=_environment(home),
        cwd=home.root,
        stdin=subprocess.DEVNULL,
    )
    while signal.sigwait(_WATCHED) == signal.SIGCHLD:
        _reap(home, boot)
    _end(home, boot)


def _scripts(home: InstanceHome) -> list[str]:
    """Return the command of this boot: user data is run once in an instance's life."""
    if not home.booted.exists():
        home.booted.touch()
        return ["bash", str(home.directory / "user-data.sh")]
    scripts = sorted((home.root / "var/lib/cloud/scripts/per-boot").glob("*"))
    return ["bash", "-c", _ONE_AFTER_THE_OTHER, "boot", *map(str, scripts)]


def _environment(home: InstanceHome) -> dict[str, str]:
    """Return what root's environment is on a fresh instance, and where this machine's AWS is."""
    facts = home.facts()
    return {
        "PATH": f"{home.bin}:{facts.path}",
        "HOME": str(home.root / "root"),
        "TMPDIR": str(home.tmp),
        "LANG": "C.UTF-8",
        "AWS_ENDPOINT_URL": facts.endpoint,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": facts.imds,
    }


def _reap(home: InstanceHome, boot: subprocess.Popen[bytes]) -> None:
    """Collect ended children, inherited ones too; note how the boot ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid == boot.pid:
            boot.returncode = os.waitstatus_to_exitcode(status)
            write_json(home.directory / "boot.json", {"exit_code": boot.returncode})


def _end(home: InstanceHome, boot: subprocess.Popen[bytes]) -> None:
    """Hold the script where it is, stop the containers together, kill what is left."""
    if boot.returncode is None:
        boot.send_signal(signal.SIGSTOP)
    containers = [load(home, path.stem) for path in home.container_files()]
    running = [one for one in containers if one and signal_record(one.monitor, signal.SIGTERM)]
    deadline = time.monotonic() + max((one.stop_timeout_s for one in running), default=0)
    while _any_left(running) and time.monotonic() < deadline + _MARGIN_S:
        time.sleep(0.05)
    me = psutil.Process()
    while children := me.children(recursive=True):
        kill(children)
        psutil.wait_procs(children, timeout=1)


def _any_left(containers: list[Container]) -> bool:
    return any(is_running(one.monitor) for one in containers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

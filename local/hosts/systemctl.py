"""An instance's `systemctl`: `python -m local.hosts.systemctl <instance directory> <words>...`.

`enable --now docker` finds an engine that runs already; `enable --now <path>.service` starts the
service of that unit file, which is restarted as the file says and ends with its instance. Anything
else fails and says so.
"""

from __future__ import annotations

import configparser
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from local.hosts.instance_home import InstanceHome

_RUN = "--run"


def main(directory: Path, words: list[str]) -> int:
    """Run one command and return its exit code."""
    if words[:1] == [_RUN]:
        return _keep(_service(Path(words[1])))
    if words[:2] != ["enable", "--now"] or len(words) != 3:
        return _refuse(f"'{' '.join(words)}' is not supported here; allowed: enable --now UNIT")
    unit = words[2]
    if unit == "docker":
        return 0
    if not unit.endswith(".service") or not Path(unit).is_file():
        return _refuse(f"Failed to enable unit: Unit file {unit} does not exist.")
    with (InstanceHome(directory).log / f"{Path(unit).stem}.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "local.hosts.systemctl", str(directory), _RUN, unit],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return 0


def _refuse(reason: str) -> int:
    print(f"systemctl: {reason}", file=sys.stderr)  # noqa: T201 (a command line's answer)
    return 1


def _service(unit: Path) -> dict[str, str]:
    """Return the [Service] section of a unit file."""
    file = configparser.ConfigParser(interpolation=None, strict=False)
    file.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
    file.read(unit)
    return dict(file["Service"])


def _keep(service: dict[str, str]) -> int:
    """Run a service's command, again and again where it says so."""
    while True:
        done = subprocess.run(shlex.split(service["ExecStart"]), check=False, cwd=os.sep)
        print(f"systemd: exit code {done.returncode}", flush=True)  # noqa: T201 (the journal)
        if service.get("Restart", "no") != "always":
            return done.returncode
        time.sleep(float(service.get("RestartSec", "0.1")))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))

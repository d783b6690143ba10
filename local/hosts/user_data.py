"""Make user data run below an instance's own directory: paths mapped, programs stood in for."""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

from local.hosts.instance_home import InstanceHome

#: What user data may write to; exactly these are mapped into the instance's own directory.
MAPPED = (
    "/var/log/academy-boot.log",
    "/var/lib/academy",
    "/var/lib/cloud/scripts/per-boot",
    "/etc/academy",
    "/home/ec2-user",
)
_BEFORE, _AFTER = r"(?<![\w.}-])", r"(?![\w-])"
_MAPPED = re.compile(_BEFORE + "(" + "|".join(map(re.escape, MAPPED)) + ")" + _AFTER)
_FOREIGN = re.compile(r"(?<![\w./:}-])/(?:boot|etc|home|lib|opt|root|srv|sys|var)(?:/[\w./-]*)?")
_REPOSITORY = Path(__file__).resolve().parents[2]


class UserDataError(ValueError):
    """User data that this machine must not run; says which line and why."""


def localised(user_data: str, root: Path) -> str:
    """Return the script with the allowed absolute paths moved below `root`.

    Raises: UserDataError for what is no shell script, or names another path of the system.
    """
    if not user_data.startswith("#!"):
        raise UserDataError(f"user data starts with {user_data[:20]!r}; only scripts (#!) run here")
    for number, line in enumerate(user_data.splitlines(), 1):
        rest = _MAPPED.sub("", line)
        if found := _FOREIGN.search(rest):
            raise UserDataError(
                f"user data line {number} uses {found[0]}; allowed: {', '.join(MAPPED)}"
            )
    return _MAPPED.sub(lambda match: f"{root}{match[1]}", user_data)


def lay_out(home: InstanceHome, user_data: str) -> None:
    """Make an instance's directories, its shims and its script.

    Raises: UserDataError as `localised` does.
    """
    root = _shell_safe(home.root)
    script = localised(user_data, root)
    for below in ("var/log", "var/lib", "etc", "home/ec2-user", "root"):
        (home.root / below).mkdir(parents=True, exist_ok=True)
    for directory in (home.bin, home.log, home.tmp):
        directory.mkdir(parents=True, exist_ok=True)
    for name, body in _shims(home).items():
        path = home.bin / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    (home.directory / "user-data.sh").write_text(script)


def _shims(home: InstanceHome) -> dict[str, str]:
    """Return the programs of Amazon Linux that stand before this machine's own."""
    directory = shlex.quote(str(home.directory))
    python = f"exec {shlex.quote(sys.executable)}"
    modules = f"PYTHONPATH={shlex.quote(str(_REPOSITORY))} PYTHONDONTWRITEBYTECODE=1 {python}"
    # Its own first line names an interpreter, which may hold no space and not be long.
    aws = shlex.quote(str(Path(sysconfig.get_path("scripts")) / "aws"))
    shims = {
        # A second disk is a directory of the instance: empty at its boot, gone at its end.
        "mkfs.xfs": 'echo "mkfs.xfs: nothing to do for $*"',
        "mount": 'echo "mount: the directory $4 stands for $3"',
        "dnf": 'echo "dnf: this machine has what $* asks for"',
        "systemctl": f'{modules} -m local.hosts.systemctl {directory} "$@"',
        "shutdown": f'kill -TERM "$(cat {directory}/host.pid)"',
        "docker": f'{modules} -m local.hosts.docker {directory} "$@"',
        "python3": f'{python} "$@"',
        "aws": f'{python} {aws} "$@"',
    }
    if not shutil.which("curl"):
        shims["curl"] = f'{modules} -m local.hosts.curl "$@"'
    return shims


def _shell_safe(root: Path) -> Path:
    """Return a path to `root` without characters that a shell takes apart: itself or a link."""
    if re.fullmatch(r"[\w./+-]+", str(root)):
        return root
    digest = hashlib.sha256(str(root).encode()).hexdigest()[:16]
    link = Path(tempfile.gettempdir()) / f"academy-instance-{digest}"
    if link.is_symlink() and link.readlink() == root:
        return link
    link.unlink(missing_ok=True)
    link.symlink_to(root)
    return link

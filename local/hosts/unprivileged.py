"""Run a program that refuses to be root, in a directory that only root may enter.

PostgreSQL refuses uid 0, yet the checkout may lie below root's home (mode 0700). A user namespace
in which root appears as uid 1000 keeps the file access; where user namespaces are forbidden
(containers), uid 65534 with CAP_DAC_OVERRIDE does, a capability that containers have. It opens
the files; but initdb asks access(2) for its programs, which knows no capabilities, so these must
lie where everybody may go.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534


@dataclass(frozen=True)
class Mode:
    """`prefix` is put before a command; `owner` must own what the program calls its own."""

    prefix: tuple[str, ...]
    owner: int

    def own(self, directory: Path) -> None:
        """Give a directory and everything below it to `owner`; only root can and needs to."""
        if os.geteuid() != 0 or directory.stat().st_uid == self.owner:
            return
        for path in (directory, *directory.rglob("*")):
            os.chown(path, self.owner, self.owner, follow_symlinks=False)


NAMESPACE = Mode(("unshare", "--user", "--map-user=1000", "--map-group=1000", "--"), 0)
CAPABILITY = Mode(
    (
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--",
    ),
    NOBODY,
)


def unprivileged(program: Path, directory: Path) -> Mode:
    """Return how to run `program` with its files in `directory` (which exists) without being root.

    Raises: PermissionError saying what was tried when no way works on this machine.
    """
    if os.geteuid() != 0:
        return Mode((), os.geteuid())
    tried = [f"{mode.prefix[0]}: {why}" for mode, why in _failures(program, directory)]
    for mode in (NAMESPACE, CAPABILITY):
        if not any(line.startswith(f"{mode.prefix[0]}:") for line in tried):
            return mode
    raise PermissionError(
        f"{program.name} does not run as root and no way to run it as somebody else works here "
        f"({'; '.join(tried)}); start as a plain user"
    )


def _failures(program: Path, directory: Path) -> list[tuple[Mode, str]]:
    return [
        (mode, why)
        for mode in (NAMESPACE, CAPABILITY)
        if (why := _failure(mode, program, directory))
    ]


def closed_above(program: Path) -> Path | None:
    """Return the innermost directory above `program` that other users may not enter, if any."""
    return next((up for up in program.resolve().parents if not up.stat().st_mode & 0o001), None)


def _failure(mode: Mode, program: Path, directory: Path) -> str | None:
    """Return why `program` cannot be run in a mode from a directory; None if it can."""
    prefix = mode.prefix
    if not shutil.which(prefix[0]):
        return "not installed"
    if mode == CAPABILITY and (closed := closed_above(program)):
        return f"other users may not enter {closed}"
    answer = subprocess.run(
        [
            *prefix,
            "sh",
            "-c",
            'cd "$1" && ls . >/dev/null && "$2" --version',
            "-",
            directory,
            program,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if answer.returncode == 0 else (answer.stderr.strip() or "failed")

"""Where a release comes from: the commit of the checkout, and who deploys it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from ops import aws


@dataclass(frozen=True)
class Origin:
    """A checkout's commit (`unknown` outside of git), whether it was changed since, and by whom."""

    commit: str
    dirty: bool
    who: str


def origin(root: Path, region: str) -> Origin:
    """Return where a deploy from a checkout comes from. Raises: botocore's errors."""
    commit = head(root)
    dirty = bool(commit) and _git(root, "status", "--porcelain") != ""
    caller = str(aws.client("sts", region).get_caller_identity()["Arn"])
    name = _git(root, "config", "user.name")
    return Origin(commit or "unknown", dirty, f"{name} ({caller})" if name else caller)


def head(root: Path) -> str:
    """Return the commit that is checked out; nothing outside of git."""
    return _git(root, "rev-parse", "HEAD")


def _git(root: Path, *arguments: str) -> str:
    """Return what git says; nothing where there is no git, or no checkout."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

"""Which built images stay: the tags built last, and those that a container runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from local.hosts.instance_home import InstanceHome

#: Enough to roll back by hand.
KEPT_TAGS = 5


def tags_in_use(state_dir: Path) -> frozenset[str]:
    """Return the tags whose files a container of an instance has not done with."""
    found = set()
    for directory in (state_dir / "instances").glob("i-*"):
        for path in InstanceHome(directory).container_files():
            container = json.loads(path.read_text())
            if container["status"] != "exited":
                found.add(container["image"].rpartition(":")[2])
    return frozenset(found)


def drop_old(repository: Path, in_use: frozenset[str]) -> None:
    """Delete a repository's tags but the KEPT_TAGS newest and those in use."""
    tags = sorted(repository.glob("[!.]*"), key=lambda one: one.stat().st_mtime_ns, reverse=True)
    for directory in tags[KEPT_TAGS:]:
        if directory.name not in in_use:
            shutil.rmtree(directory, ignore_errors=True)

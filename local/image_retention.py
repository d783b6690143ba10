"""Which built images stay: those built last, those released last, those that a container runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from local.hosts.instance_home import InstanceHome

#: Of what was built, and apart from that of what was released.
KEPT_TAGS = 5
KEPT_RELEASED = 10


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
    """Delete a repository's images but the newest, those released last, and those in use.

    An image is a directory by its tag; a released one has a link beside it (registry_images).
    """
    tags = sorted(repository.glob("[!.]*"), key=lambda one: one.lstat().st_mtime_ns, reverse=True)
    links = [tag for tag in tags if tag.is_symlink()]
    built = [tag for tag in tags if not tag.is_symlink()]
    for link in links[KEPT_RELEASED:]:
        link.unlink(missing_ok=True)
    released = {link.readlink().name for link in links[:KEPT_RELEASED]}
    for directory in built[KEPT_TAGS:]:
        if directory.name not in in_use | released:
            shutil.rmtree(directory, ignore_errors=True)

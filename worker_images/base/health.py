"""The container's health check: the worker touches a file, and the check looks at its age.

    HEALTHCHECK CMD ["python", "-m", "worker_images.base.health"]

Exits 1 when the file is missing or older than the visibility timeout: three heartbeats missed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from config.contracts.boot_records import POLLED_FILE
from worker_images.base.settings import require, whole_number

ALIVE_FILE = "academy-worker-alive"


def alive_path() -> Path:
    """Return the file that a worker touches; it lies where the container may write."""
    return Path(tempfile.gettempdir()) / ALIVE_FILE


def polled_path() -> Path:
    """Return the file from which the boot script learns that this worker has booted."""
    return Path(tempfile.gettempdir()) / POLLED_FILE


def is_alive(path: Path, *, now: float, max_age_s: float) -> bool:
    """Whether `path` was touched within `max_age_s` seconds before `now` (epoch seconds)."""
    return path.exists() and now - path.stat().st_mtime <= max_age_s


def main() -> int:
    """Return the exit status of the check."""
    require(os.environ, ("VISIBILITY_TIMEOUT_S",))
    max_age_s = whole_number(os.environ, "VISIBILITY_TIMEOUT_S", minimum=3)
    return 0 if is_alive(alive_path(), now=time.time(), max_age_s=max_age_s) else 1


if __name__ == "__main__":
    sys.exit(main())

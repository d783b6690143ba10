"""Where things lie: the repo, its tools, the synthesized assemblies, and clips."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from config.contracts.names import PREFIX

ROOT = Path(__file__).parent.parent
ASSEMBLIES = ROOT / "cdk.out"


def tools() -> Path:
    """Return the virtual environment's bin, which holds Python, Node and npm."""
    return Path(sys.executable).parent


def assembly(environment: str) -> Path:
    """Return the directory of an environment's cloud assembly."""
    return ASSEMBLIES / environment


def state_directory() -> Path:
    """Return where the embedded AWS keeps its files: `.local`, or ACADEMY_LOCAL_DIR."""
    return Path(os.environ.get("ACADEMY_LOCAL_DIR") or ROOT / ".local")


def stack_prefix(environment: str) -> str:
    """Return what every stack name of an environment starts with."""
    return f"{PREFIX}-{environment}-"

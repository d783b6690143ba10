"""An assembly in which one stack is another assembly's: what one stack's deploy leads to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ops.errors import OperatorError
from ops.releases.assemblies import MANIFEST, Assembly


def with_stack(current: Assembly, other: Assembly, stack: str, directory: Path) -> Assembly:
    """Write `current` with the stack of `other` in it to a directory, and return it.

    Raises: OperatorError when `other` has no such stack, or its stack needs one that `current`
    does not have.
    """
    if stack not in other.stacks:
        raise OperatorError(f"{stack} is not in that assembly; it has {', '.join(other.stacks)}")
    artifacts = dict(current.manifest["artifacts"])
    for name in other.artifacts(stack):
        artifacts[name] = other.manifest["artifacts"][name]
    missing = sorted(set(artifacts[stack].get("dependencies", ())) - artifacts.keys())
    if missing:
        raise OperatorError(
            f"{stack} needs {', '.join(missing)}, which is not deployed",
            hint="deploy the whole environment",
        )
    shutil.rmtree(directory, ignore_errors=True)
    others = [path for each in current.stacks if each != stack for path in current.files(each)]
    _copy(current, others, directory)
    _copy(other, other.files(stack), directory)
    manifest = {**current.manifest, "artifacts": artifacts}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    return Assembly(directory)


def _copy(source: Assembly, paths: list[str], directory: Path) -> None:
    for path in paths:
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.directory / path, target)

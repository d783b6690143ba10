"""The templates of the last released version, synthesized by its own code.

`tests/snapshots/released` holds the commit of that version: after a release,
`git rev-parse <its tag> > tests/snapshots/released`. A file, since a clone may have no tags.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

from ops.changes import Templates
from ops.changes.assembly import read
from tests.conftest import IMAGE_TAG, ROOT

COMMIT = ROOT / "tests" / "snapshots" / "released"
_FETCH_S = 120
#: Run in the released tree, once for all its environments: CDK takes seconds to start. `app.py`
#: is told what the CDK CLI would tell it: the context, and where the assembly goes.
_SYNTHESIZE = """
import functools, json, runpy, sys
import aws_cdk
app = aws_cdk.App
for environment, folder in json.loads(sys.argv[1]).items():
    context = json.load(open("cdk.json"))["context"]
    context |= {"env": environment, "image_tag": sys.argv[2]}
    aws_cdk.App = functools.partial(app, outdir=folder, context=context)
    runpy.run_path("app.py", run_name="__main__")
"""


class ReleaseMissingError(Exception):
    """This clone has not the released commit: one line that says why, and what to do."""


def released_templates(folder: Path) -> dict[str, Templates]:
    """Return, by environment, the templates by stack name. `folder` must be empty.

    Raises: ReleaseMissingError when the commit is not in the clone and cannot be fetched either;
    RuntimeError when its code does not synthesize with the packages that are installed now.
    """
    source = folder / "source"
    unpack(COMMIT.read_text("utf-8").strip(), ROOT, source)
    names = {path.stem for path in (source / "config" / "environments").glob("*.yaml")} - {"base"}
    outputs = {name: str(folder / name) for name in sorted(names)}
    made = subprocess.run(
        [sys.executable, "-c", _SYNTHESIZE, json.dumps(outputs), IMAGE_TAG],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(f"the released version does not synthesize: {made.stderr[-2000:]}")
    return {name: read(Path(output)) for name, output in outputs.items()}


def unpack(commit: str, repository: Path, target: Path) -> None:
    """Write the tree of a commit to a directory; a shallow clone fetches that commit first.

    Raises: ReleaseMissingError when the clone does not have it, nor its origin.
    """
    archived = _git(repository, "archive", commit)
    if archived.returncode:
        # A clone cut short has no history; this one commit is enough.
        _git(repository, "fetch", "--quiet", "--depth=1", "origin", commit)
        archived = _git(repository, "archive", commit)
    if archived.returncode:
        raise ReleaseMissingError(
            f"the released commit {commit} is neither in {repository} nor to be fetched from its "
            "origin; run `git fetch --unshallow`, or clone with the whole history"
        )
    with tarfile.open(fileobj=BytesIO(archived.stdout)) as tree:
        tree.extractall(target, filter="data")


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["git", "-C", str(repository), *arguments],  # noqa: S607
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        capture_output=True,
        timeout=_FETCH_S,
        check=False,
    )

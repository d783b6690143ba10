"""cfn-lint on the templates that a deploy is about to send."""

from __future__ import annotations

import subprocess
from collections.abc import Collection

from ops import places
from ops.changes import Changes
from ops.errors import OperatorError
from ops.releases.assemblies import Assembly


def require_clean(found: Changes, wanted: Assembly) -> int:
    """Lint the templates of the stacks that change and return how many; about 3 s for all.

    What is accepted stands in `.cfnlintrc`, each with its reason.

    Raises: OperatorError with the findings.
    """
    changing = {each.stack for each in found.resources} | {each.stack for each in found.outputs}
    linted = [stack for stack in wanted.stacks if stack in changing]
    if said := _lint(wanted, linted):
        raise OperatorError(f"cfn-lint:\n{said}", hint="nothing was deployed")
    return len(linted)


def _lint(wanted: Assembly, stacks: Collection[str]) -> str:
    """Return what cfn-lint says, one finding a line; empty when it finds nothing."""
    if not stacks:
        return ""
    templates = [str((wanted.directory / wanted.template_file(each)).absolute()) for each in stacks]
    done = subprocess.run(
        [str(places.tools() / "cfn-lint"), "--format", "parseable", "--", *templates],
        cwd=places.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    return (done.stdout + done.stderr).strip() or f"exit {done.returncode} without a word"

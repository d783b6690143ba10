"""What is checked before a deploy acts: each check is a module that decides; here they are asked.

The settings were checked when they were loaded, and again by the app that synthesized.
"""

from __future__ import annotations

from collections.abc import Sequence

from ops.changes import Changes
from ops.checks import upgrade
from ops.errors import OperatorError
from ops.findings import Finding, problems


def require_safe(found: Changes, *, accepted: Sequence[str] | None) -> list[Finding]:
    """Return what was found to be fine, or was accepted by its logical id (None: nothing may be).

    Raises: OperatorError with everything that must not be deployed as it is; UsageError.
    """
    findings = upgrade.decide(found, accepted=accepted)
    if bad := problems(findings):
        raise OperatorError("\n".join(bad), hint="nothing was deployed")
    return findings

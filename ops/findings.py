"""What a check found: that something is as it should be, or what is wrong, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from ops.errors import OperatorError


@dataclass(frozen=True)
class Finding:
    """`what` was looked at. A problem has a `cause` and a `fix`, one phrase each."""

    what: str
    cause: str = ""
    fix: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.cause

    def __str__(self) -> str:
        return self.what if self.ok else f"{self.what}: {self.cause}. {self.fix}"


def unanswered(what: str, error: Exception) -> Finding:
    """Return the problem that an error kept a check from its answer."""
    hint = error.hint if isinstance(error, OperatorError) else ""
    fix = hint or "mend that and deploy again: it is verified again"
    return Finding(what, f"it cannot be told: {error}", fix)


def problems(findings: Iterable[Finding]) -> list[str]:
    """Return what is wrong, one line each."""
    return [str(finding) for finding in findings if not finding.ok]


def show(findings: Iterable[Finding], console: Console) -> None:
    """Print findings, one a line; a problem is followed by its cause and its fix."""
    for finding in findings:
        mark = "[green]✓[/]" if finding.ok else "[red]✗[/]"
        console.print(f"  {mark} {escape(finding.what)}", highlight=False, soft_wrap=True)
        if not finding.ok:
            told = escape(f"{finding.cause}. {finding.fix}")
            console.print(f"    {told}", highlight=False, soft_wrap=True)

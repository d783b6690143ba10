"""A recorded release, and what follows from the records of an environment. Pure.

The newest record is the current release: a record is written after its deploy, never before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ops.errors import OperatorError, UsageError

DEPLOY = "deploy"
ROLLBACK = "rollback"


@dataclass(frozen=True)
class Release:
    """One deploy or rollback of an environment.

    `at` is ISO 8601 in UTC; `stacks` maps each stack to its digest (`Assembly.digest`); `touched`
    are those that differ from the release before; `images` maps `repository:tag` to the digest in
    the registry; `settings` is the SHA-256 of the settings; `migrations` maps each one that the
    database has to whether it forbids a rollback past it; `of` is the release that a rollback
    brought back, whole or (`stack`) in one stack alone; `problems` is what the verification found.
    """

    number: int
    kind: str
    at: str
    who: str
    commit: str
    dirty: bool
    stacks: Mapping[str, str]
    touched: Sequence[str]
    images: Mapping[str, str]
    settings: str
    migrations: Mapping[str, bool]
    of: int | None = None
    stack: str | None = None
    problems: Sequence[str] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        """Whether the verification after it found nothing wrong."""
        return not self.problems

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all stacks' digests: what the recorded assembly is stored under."""
        return fingerprint(self.stacks)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return {**asdict(self), "verified": self.verified}


def from_json(found: Mapping[str, Any]) -> Release:
    """Return a release from its JSON; what a newer version of this code added is left out."""
    known = Release.__dataclass_fields__
    return Release(**{name: value for name, value in found.items() if name in known})


def fingerprint(digests: Mapping[str, str]) -> str:
    """Return one SHA-256 of the digests of an assembly's stacks."""
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()


def touched(before: Release | None, digests: Mapping[str, str]) -> list[str]:
    """Return the stacks that differ from those of the release before, sorted."""
    known = before.stacks if before else {}
    return sorted(name for name, digest in digests.items() if known.get(name) != digest)


def previous(releases: Sequence[Release], stack: str | None = None) -> Release:
    """Return what a rollback without a number brings back; `stack` when it is to be one alone.

    That is the newest release older than what runs, which differs from it. A rollback runs what
    it brought back: a second one goes on into the past instead of forward again.

    Raises: OperatorError when there is none.
    """
    if not releases:
        raise OperatorError("no release is recorded: nothing to roll back to")
    current = releases[-1]
    origin = _origin(releases, stack)
    for release in reversed(releases):
        if release.number < origin and _differs(release, current, stack):
            return release
    what = f"another {stack}" if stack else "another state"
    raise OperatorError(
        f"no release before {origin} holds {what}: nothing to roll back to",
        hint="`academy releases` lists them; name one with --to",
    )


def numbered(releases: Sequence[Release], number: int) -> Release:
    """Return the release of a number. Raises: UsageError naming those that exist."""
    for release in releases:
        if release.number == number:
            return release
    known = ", ".join(str(release.number) for release in releases) or "none"
    raise UsageError(f"release {number} is not recorded; allowed: {known}")


def forbidding(applied: Mapping[str, bool], target: Release) -> list[str]:
    """Return the migrations that the database has, the target does not know, and forbid it."""
    return sorted(
        name for name, forbids in applied.items() if forbids and name not in target.migrations
    )


def _origin(releases: Sequence[Release], stack: str | None) -> int:
    """Return the number of the release whose state runs, of one stack or of them all.

    Acts on other stacks alone left that one as it was. A stack that was brought back alone makes
    a state of all that no release before it has.
    """
    last = releases[-1]
    if stack is not None:
        acts = (each for each in reversed(releases) if each.stack in {None, stack})
        last = next(acts, last)
    return last.of if last.of and last.stack in {None, stack} else last.number


def _differs(release: Release, current: Release, stack: str | None) -> bool:
    if stack is None:
        return release.stacks != current.stacks
    return stack in release.stacks and release.stacks[stack] != current.stacks.get(stack)

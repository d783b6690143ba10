"""The acting part that deploys and rollbacks share: deploy, verify, record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from config.settings import Settings
from ops import deploying, facts, places
from ops.delivery.plan import Plan, api_stack, release_of
from ops.deploy_events import StackProgress
from ops.errors import OperatorError
from ops.findings import Finding, problems, show, unanswered
from ops.releases.images import digests, images, keep
from ops.releases.origin import origin
from ops.releases.record import Release, forbidding, touched
from ops.releases.store import open_store
from ops.verify import Context, verify
from ops.view import say_title, step


@dataclass(frozen=True)
class Outcome:
    """How it ended: the release that is current now, and whether it was recorded just now."""

    release: Release
    is_new: bool
    changed: tuple[str, ...]


def carry_out(
    settings: Settings, plan: Plan, releases: Sequence[Release], console: Console
) -> Outcome:
    """Deploy a plan, verify what runs, record it. `releases` are those recorded so far.

    What is the same as the current release is no new one; its verification is noted again.

    Raises: OperatorError, and then nothing was recorded.
    """
    before = releases[-1] if releases else None
    with step(console, f"deploy {plan.stack or 'all stacks'}") as say:
        stacks = _deployed(settings, plan, before, console)
        changed = tuple(stack.name for stack in stacks if stack.state == "done")
        say(f"{len(changed)} of {len(stacks)} stacks changed")
    # Without a change there is no deploy to be newer than.
    room_s = 0 if changed else facts.BACKLOG_WINDOW_S
    since = datetime.now(UTC) - timedelta(seconds=room_s)
    say_title(console, "verify what runs")
    context = Context(settings, plan.assembly, since)
    found = verify(context, lambda found: show(found, console))
    known, wrong = _kept(settings, plan)
    show(wrong, console)
    release, is_new = _recorded(settings, plan, before, known, problems([*found, *wrong]))
    return Outcome(release, is_new, changed)


def _deployed(
    settings: Settings, plan: Plan, before: Release | None, console: Console
) -> list[StackProgress]:
    directory = plan.assembly.directory
    forbids = _note_attempt(settings, plan, before)
    try:
        return deploying.deploy(settings, directory, console, stack=plan.stack)
    except OperatorError as error:
        raise OperatorError(
            f"{error}\nnothing was recorded{_states(settings, plan)}",
            hint=_what_next(settings.environment, before, forbids),
        ) from error


def _states(settings: Settings, plan: Plan) -> str:
    """Return the states of a plan's stacks; nothing when they cannot be asked."""
    with suppress(BotoCoreError, ClientError):
        found = facts.stacks_named(settings, plan.assembly.stacks)
        return "".join(["; the stacks are now", *(f"\n  {s.name}: {s.status}" for s in found)])
    return ""


def _note_attempt(settings: Settings, plan: Plan, before: Release | None) -> list[str]:
    """Note the migrations that a deploy brings; return those that forbid to go back if it fails.

    A deploy that leaves the API as it is brings none.
    """
    store = open_store(settings)
    if store is None:
        return []
    applied: Mapping[str, bool] = store.applied(before)
    brings = api_stack(settings.environment) in touched(before, plan.assembly.digests())
    if brings and applied != plan.migrations:
        store.note_attempt(plan.migrations)
        applied = plan.migrations
    return forbidding(applied, before) if before else []


def _what_next(environment: str, before: Release | None, forbids: list[str]) -> str:
    if before is None:
        return "mend the cause and deploy again"
    current = f"release {before.number} stays the current one. Mend the cause and deploy"
    if forbids:
        return f"{current}: since migration {', '.join(forbids)} there is no way back"
    return f"{current}, or go back: academy rollback {environment} --to {before.number}"


def _kept(settings: Settings, plan: Plan) -> tuple[dict[str, str], list[Finding]]:
    """Tag a plan's images as released; return their digests, and what kept them from it."""
    known: dict[str, str] = {}
    region = settings.aws.region
    try:
        known = digests(images(plan.assembly.templates().values()), region)
        keep(known, settings.environment, region)
    except (BotoCoreError, ClientError) as error:
        return known, [unanswered("the tags of released images", error)]
    return known, []


def _recorded(
    settings: Settings,
    plan: Plan,
    before: Release | None,
    known: Mapping[str, str],
    wrong: list[str],
) -> tuple[Release, bool]:
    store = open_store(settings)
    if store is None:
        raise OperatorError(
            "this environment has no release bucket, so that nothing was recorded",
            hint="its stack is 'delivery': deploy the whole environment",
        )
    if before and before.stacks == plan.assembly.digests():
        store.require_last(before)
        same = list(before.problems) == wrong
        return (before if same else store.note_problems(before, wrong)), False
    release = release_of(
        plan,
        before,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        who=origin(places.ROOT, settings.aws.region).who,
        images=known,
        problems=wrong,
    )
    return store.add(release, plan.assembly, after=before), True

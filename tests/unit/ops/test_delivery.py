"""Deploys and rollbacks up to the point where they act: what is asked, announced and refused."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from config.settings import load_settings
from ops import cli, places
from ops.changes import Changes, compare
from ops.delivery import announcement, rollback
from ops.delivery.deploy import migrations_after
from ops.delivery.plan import api_stack, settings_hash, stack_named
from ops.errors import OperatorError, UsageError
from ops.releases.migrations import migrations
from ops.releases.record import DEPLOY, Release

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}}


def running(tag: str) -> dict[str, Any]:
    """A stack whose boot script runs an image, and whose definition names another that stays."""
    script = {"Fn::Base64": {"Fn::Sub": f"docker run ${{Host}}/academy-api:{tag}"}}
    made = {"UserData": script, "Other": "registry/academy-video-worker:one"}
    return {"Resources": {"Runs": {"Type": "AWS::EC2::Instance", "Properties": made}}}


OLD = {"academy-dev-queues": {"Resources": {"Old": QUEUE}}, "academy-dev-api": running("two")}
SOMETHING = compare(OLD, {"academy-dev-api": running("one")})
STACKS = ("academy-dev-api", "academy-dev-video")
FIRST = Release(
    number=1,
    kind=DEPLOY,
    at="2026-11-21T12:00:00+00:00",
    who="an operator",
    commit="c" * 40,
    dirty=False,
    stacks=dict.fromkeys(STACKS, "1"),
    touched=[],
    images={},
    settings="s",
    migrations={},
)
SECOND = replace(FIRST, number=2, stacks={**FIRST.stacks, "academy-dev-edge": "1"})


def announced(target: Release, stack: str | None = None, found: Changes = SOMETHING) -> str:
    out = io.StringIO()
    announcement.show(SECOND, target, stack, found, Console(file=out, width=500))
    return out.getvalue()


def test_a_rollback_says_what_it_changes_and_what_it_leaves() -> None:
    said = announced(FIRST)
    assert "everything back from release 2 to 1" in said
    assert "image academy-api: two -> one" in said
    assert "academy-video-worker" not in said
    assert "removed: academy-dev-queues Old (AWS::SQS::Queue)" in said
    assert "academy-dev-edge stays as it is" in said


def test_a_rollback_of_one_stack_speaks_of_it_alone() -> None:
    said = announced(FIRST, "academy-dev-video")
    assert "roll academy-dev-video back" in said
    assert "stays as it is" not in said


def test_a_target_that_was_not_verified_is_announced_with_its_problem() -> None:
    assert "not verified: queue x: wrong" in announced(replace(FIRST, problems=["queue x: wrong"]))


def test_bringing_the_current_release_back_is_no_rollback_to_another() -> None:
    assert "back to release 2, which should run" in announced(SECOND)
    assert "no resource changes" in announced(SECOND, found=Changes())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_anything_but_a_yes_changes_nothing(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    with pytest.raises(OperatorError, match="nothing was changed"):
        rollback.confirm(SOMETHING, yes=False)


def test_a_yes_or_the_option_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    rollback.confirm(SOMETHING, yes=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    rollback.confirm(SOMETHING, yes=True)
    with pytest.raises(UsageError, match="--yes"):
        rollback.confirm(SOMETHING, yes=False)


def test_without_a_change_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    rollback.confirm(Changes(), yes=False)


def test_a_stack_is_named_by_its_role_or_in_full() -> None:
    settings = load_settings("dev")
    assert stack_named(settings, "video", STACKS) == "academy-dev-video"
    assert stack_named(settings, "academy-dev-api", STACKS) == "academy-dev-api"
    for wrong in ("vidoe", "academy-prod-api"):
        with pytest.raises(UsageError, match=f"--stack {wrong} .*allowed: api, video"):
            stack_named(settings, wrong, STACKS)


def test_only_a_deploy_of_the_api_brings_migrations_and_none_is_forgotten() -> None:
    known = {"0000_gone": True}
    api = api_stack("dev")
    assert api == "academy-dev-api"
    whole = migrations_after(known, None, api)
    assert whole == {"0000_gone": True, **migrations(places.ROOT)}
    assert migrations_after(known, api, api) == whole
    assert migrations_after(known, "academy-dev-video", api) == known


def test_settings_hash_tells_environments_apart_and_nothing_else() -> None:
    assert settings_hash(load_settings("dev")) == settings_hash(load_settings("dev"))
    assert settings_hash(load_settings("dev")) != settings_hash(load_settings("prod"))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("deploy", "dev"), 2, "either --image-tag or --assembly"),
        (("deploy", "dev", "--image-tag", "a", "--assembly", "b"), 2, "either --image-tag or"),
        (("rollback", "production"), 2, "dev, local, prod, staging"),
        (("rollback", "dev", "--to", "0"), 2, ""),
        (("releases", "local"), 1, "AWS_ENDPOINT_URL is not set"),
        (("deploy", "local", "--image-tag", "a"), 1, "AWS_ENDPOINT_URL is not set"),
        (("rollback", "local"), 1, "AWS_ENDPOINT_URL is not set"),
    ],
)
def test_what_cannot_be_is_one_line_and_reaches_for_no_account(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr("sys.argv", ["academy", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    assert said in capsys.readouterr().err

"""What follows from recorded releases: the current one, the previous one, what forbids it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ops.errors import OperatorError, UsageError
from ops.releases.record import (
    DEPLOY,
    ROLLBACK,
    Release,
    fingerprint,
    forbidding,
    from_json,
    numbered,
    previous,
    touched,
)
from ops.releases.view import row, rows_json

V1 = {"academy-dev-api": "a1", "academy-dev-video": "v1"}
V2 = {"academy-dev-api": "a2", "academy-dev-video": "v1"}
V3 = {"academy-dev-api": "a3", "academy-dev-video": "v3"}
API, VIDEO = "academy-dev-api", "academy-dev-video"
S1, S2, S3 = ({API: f"a{number}", VIDEO: f"v{number}"} for number in (1, 2, 3))


def release(number: int, stacks: dict[str, str], **fields: object) -> Release:
    made = Release(
        number=number,
        kind=DEPLOY,
        at="2026-11-21T12:00:00+00:00",
        who="an operator",
        commit="c" * 40,
        dirty=False,
        stacks=stacks,
        touched=[],
        images={},
        settings="s",
        migrations={},
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def back(number: int, of: int, stacks: dict[str, str], stack: str | None = None) -> Release:
    return release(number, stacks, kind=ROLLBACK, of=of, stack=stack)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([release(1, V1), release(2, V2)], 1),
        ([release(1, V1), release(2, V2), release(3, V2)], 1),
        # A second rollback goes on into the past, not forward to what was rolled back.
        ([release(1, V1), release(2, V2), release(3, V3), back(4, 2, V2)], 1),
        # After going forward again the one before is the one before.
        ([release(1, V1), release(2, V2), back(3, 1, V1), back(4, 2, V2)], 1),
        # A rollback of one stack made a state of its own: what it changed is before it.
        ([release(1, V1), release(2, V3), back(3, 1, V2, "academy-dev-video")], 2),
    ],
)
def test_the_previous_release_is_the_newest_older_one_that_differs(
    history: list[Release], expected: int
) -> None:
    assert previous(history).number == expected


def test_the_previous_release_of_a_stack_is_the_newest_in_which_that_stack_differs() -> None:
    history = [release(1, V1), release(2, V2), release(3, V3)]
    assert previous(history, "academy-dev-api").number == 2
    assert previous([*history, release(4, {**V3, "academy-dev-api": "a4"})], "academy-dev-video")
    with pytest.raises(OperatorError, match="academy-dev-video"):
        previous([release(1, V1), release(2, V2)], "academy-dev-video")


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([], 2),
        ([back(4, 2, {**S3, VIDEO: "v2"}, VIDEO)], 1),
        # A rollback of everything brought that stack back as well.
        ([back(4, 2, S2)], 1),
        # What happened to another stack alone since changes nothing for this one.
        ([back(4, 2, {**S3, VIDEO: "v2"}, VIDEO), back(5, 2, S2, API)], 1),
        ([release(4, {**S3, API: "a4"}, stack=API)], 2),
    ],
)
def test_a_second_rollback_of_one_stack_goes_on_into_the_past(
    acts: list[Release], expected: int
) -> None:
    history = [release(1, S1), release(2, S2), release(3, S3), *acts]
    assert previous(history, VIDEO).number == expected


def test_a_rollback_of_everything_after_one_of_a_stack_undoes_that_one() -> None:
    one_stack = back(4, 2, {**S3, VIDEO: "v2"}, VIDEO)
    assert previous([release(1, S1), release(2, S2), release(3, S3), one_stack]).number == 3


@pytest.mark.parametrize(
    "history",
    [[], [release(1, V1)], [release(1, V1), release(2, V2), back(3, 1, V1)]],
)
def test_without_an_older_release_there_is_nothing_to_roll_back_to(history: list[Release]) -> None:
    with pytest.raises(OperatorError, match="nothing to roll back to"):
        previous(history)


def test_an_unknown_number_names_those_that_exist() -> None:
    with pytest.raises(UsageError, match="release 7 is not recorded; allowed: 1, 2"):
        numbered([release(1, V1), release(2, V2)], 7)


def test_migrations_forbid_only_what_does_not_know_them_and_only_when_they_say_so() -> None:
    target = release(1, V1, migrations={"0001_initial": False, "0002_split": True})
    current = release(
        2, V2, migrations={**target.migrations, "0003_more": False, "0004_dropped": True}
    )
    assert forbidding(current.migrations, target) == ["0004_dropped"]
    assert forbidding(current.migrations, current) == []
    assert forbidding(target.migrations, current) == []


def test_touched_stacks_are_those_that_are_new_or_differ() -> None:
    assert touched(None, V1) == ["academy-dev-api", "academy-dev-video"]
    assert touched(release(1, V1), V2) == ["academy-dev-api"]
    assert touched(release(1, V1), V1) == []


def test_a_release_survives_json_and_ignores_what_a_later_version_adds() -> None:
    made = release(2, V2, problems=["queue x: wrong"], images={"academy-api:c": "sha256:1"})
    text = json.dumps({**made.as_json(), "added_later": 1})
    assert from_json(json.loads(text)) == made
    assert made.as_json()["verified"] is False


def test_fingerprints_do_not_depend_on_the_order_of_stacks() -> None:
    assert fingerprint(V1) == fingerprint(dict(reversed(V1.items())))
    assert fingerprint(V1) != fingerprint(V2)


def test_the_newest_release_alone_is_the_current_one() -> None:
    rows = rows_json([release(1, V1), release(2, V2)])
    assert [each["current"] for each in rows] == [False, True]


def test_a_row_says_what_was_brought_back_and_what_is_not_verified() -> None:
    made = replace(
        back(3, 1, V1, "academy-dev-video"),
        problems=["a", "b"],
        dirty=True,
        touched=["academy-dev-video"],
    )
    assert row(made, "academy-dev-") == (
        "3",
        "2026-11-21 12:00:00",
        "rollback to 1, video alone",
        "cccccccccccc+",
        "an operator",
        "no: 2 problems",
        "video",
    )

"""The summary for a pull request: what it says, how loud, and that GitHub takes it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ops.changes import Cost, compare, summarise
from ops.changes.markdown import LIMIT
from ops.changes.model import PropertyChange
from ops.changes.page import code
from ops.changes.text import plain, sides
from tests.unit.ops.changes_templates import arn, exported, imported, one, ref, resource, template

QUEUE = "AWS::SQS::Queue"


def summary(before: Any, after: Any, **costs: Cost) -> str:
    return summarise({"prod": compare(before, after)}, costs)


def parsed(text: str) -> list[Token]:
    """Return the tokens of a Markdown text, tables read as GitHub reads them."""
    return MarkdownIt("commonmark").enable("table").parse(text)


def test_nothing_changed_is_said_in_two_words() -> None:
    same = one(Q=resource(QUEUE))
    assert summary(same, same) == "## `prod`\n\nNo changes.\n"


def test_counts_stand_in_a_table_under_the_environments_name() -> None:
    before = one(Same=resource(QUEUE), Gone=resource(QUEUE), It=resource(QUEUE, QueueName="a"))
    after = one(Same=resource(QUEUE), New=resource(QUEUE), It=resource(QUEUE, QueueName="b"))
    tokens = parsed(summary(before, after))
    cells = [
        tokens[i + 1].content for i, t in enumerate(tokens) if t.type in ("th_open", "td_open")
    ]
    assert dict(zip(cells[:6], cells[6:], strict=True)) == {
        "added": "1",
        "changed": "0",
        "maybe replaced": "0",
        "replaced": "**1**",
        "removed": "**1**",
        "unchanged": "1",
    }


def test_the_loud_part_comes_first_and_is_never_folded() -> None:
    role = resource("AWS::IAM::Role", path="app/Api/Role/Resource")
    grant = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = resource("AWS::IAM::Policy", Roles=[ref("R")], PolicyDocument={"Statement": [grant]})
    group = resource("AWS::EC2::SecurityGroup")
    rule = resource(
        "AWS::EC2::SecurityGroupIngress",
        GroupId=ref("G"),
        IpProtocol="tcp",
        FromPort=22,
        ToPort=22,
        CidrIp="0.0.0.0/0",
    )
    before = one(R=role, G=group, Q=resource(QUEUE, holds="jobs"), S=resource(QUEUE, X=1))
    after = one(R=role, G=group, P=policy, Rule=rule, S=resource(QUEUE, X=2))
    text = summary(before, after)
    loud, folded = text.split("<details>", 1)
    order = [loud.index(part) for part in ("Do not deploy", "REMOVED", "Wider perm", "Wider sec")]
    assert order == sorted(order)
    assert "`app/Api/Role`** `may s3:* on *`" in loud
    assert "`app/G`** `lets tcp 22 from 0.0.0.0/0`" in loud
    assert "`X` `1` → `2`" in folded


def test_a_replacement_says_why() -> None:
    text = summary(one(Q=resource(QUEUE, QueueName="a")), one(Q=resource(QUEUE, QueueName="b")))
    assert "### REPLACED (1)" in text
    assert "replaced, QueueName cannot change" in text


def test_data_that_is_no_longer_marked_is_named() -> None:
    text = summary(one(Q=resource(QUEUE, holds="jobs")), one(Q=resource(QUEUE)))
    assert "no longer marked as holding jobs" in text


@pytest.mark.parametrize(
    ("cost", "line"),
    [
        (Cost(97.1, 105.22), "Monthly cost: $97.10 → **$105.22** (+8.12)"),
        (
            Cost(1400, 400, "500 users a day"),
            "$1,400.00 → **$400.00** (-1,000.00) (500 users a day)",
        ),
    ],
)
def test_the_monthly_cost_before_and_after_is_one_line(cost: Cost, line: str) -> None:
    assert line in summary(one(), one(Q=resource(QUEUE)), prod=cost)


def test_stacks_go_by_their_role_and_imports_by_what_they_name() -> None:
    def side(suffix: str) -> dict[str, Any]:
        vpc = template({"Vpc": resource("AWS::EC2::VPC")}, Out=exported("vpc", ref("Vpc")))
        app = {"Q": resource(QUEUE, Tag={"Fn::Join": ["-", [imported("vpc"), suffix]]})}
        return {"academy-prod-network": vpc, "academy-prod-app": template(app)}

    text = summary(side("a"), side("b"))
    assert "`app/Q`" in text
    assert "`${network/Vpc}-a` → `${network/Vpc}-b`" in text


def test_other_code_of_a_function_is_called_so() -> None:
    def side(digit: str) -> dict[str, Any]:
        code_of = {"S3Key": f"{digit * 64}.zip"}
        return one(F=resource("AWS::Lambda::Function", Code=code_of))

    text = summary(side("a"), side("b"))
    assert "`Code.S3Key` **code changed**" in text
    assert "aaaa" not in text


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("MasterUserPassword", "hunter2", False),
        ("Environment.Variables.API_TOKEN", "hunter2", False),
        ("MasterUserPassword", "{{resolve:secretsmanager:hunter2}}", True),
        ("SecretId", "hunter2", True),
        ("SecretArn", {"Fn::Sub": "${hunter2}"}, True),
    ],
)
def test_a_secret_in_plain_text_is_not_repeated(path: str, value: Any, shown: bool) -> None:
    assert any("hunter2" in side for side in sides(PropertyChange(path, None, value))) is shown


def test_of_long_values_the_part_that_differs_is_shown() -> None:
    was, will_be = sides(PropertyChange("UserData", "a" * 500 + "old tail", "a" * 500 + "new tail"))
    assert (was, will_be) == ("…aaaaaaaaaaaaold tail", "…aaaaaaaaaaaanew tail")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (ref("Queue"), "${Queue}"),
        (arn("Queue"), "${Queue.Arn}"),
        ({"Fn::Join": ["", ["arn:", ref("P"), ":x"]]}, "arn:${P}:x"),
        ({"Fn::Base64": {"Fn::Sub": "a ${B}"}}, "a ${B}"),
        ({"A": [1, True]}, "{A: [1, true]}"),
        ({"Fn::Select": [0, ["a"]]}, "{Fn::Select: [0, [a]]}"),
    ],
)
def test_functions_read_as_what_they_stand_for(value: Any, shown: str) -> None:
    assert plain(value) == shown


@given(st.text(alphabet="`|<>*_\n a", max_size=20).filter(str.strip))
def test_any_value_is_one_piece_of_code(text: str) -> None:
    (paragraph,) = [token for token in parsed(f"x {code(text)}") if token.type == "inline"]
    children = [child for child in paragraph.children or [] if child.type != "text"]
    assert [child.type for child in children] == ["code_inline"]
    assert children[0].content.strip() == " ".join(text.split())


@pytest.mark.parametrize("count", [10, 3000])
def test_a_summary_fits_into_a_comment_and_says_what_it_left_out(count: int) -> None:
    after = one(**{f"Queue{i}": resource(QUEUE, QueueName=f"queue-{i}") for i in range(count)})
    changes = compare(one(), after)
    text = summarise({"dev": changes, "prod": changes})
    assert len(text) <= LIMIT
    assert ("more lines; `make diff` shows them all" in text) is (count == 3000)
    assert text.count("<details>") == text.count("</details>") == 2


def test_a_loud_part_that_fills_a_comment_is_cut_at_a_line() -> None:
    before = one(**{f"Queue{i}": resource(QUEUE, holds="jobs") for i in range(1000)})
    text = summary(before, one())
    assert len(text) <= LIMIT
    assert text.endswith("**Cut here: a comment holds no more. `make diff` shows it all.**\n")
    assert "Do not deploy" in text

"""What a program calls is found, however far from its entry, and what it never reaches is not."""

from __future__ import annotations

import pytest

from tests.contracts.calls import script_calls, sdk_calls
from tests.contracts.reach import modules_below, reached

API = tuple(modules_below("worker_images.api"))
VIDEO = tuple(modules_below("worker_images.video"))
STORAGE = "worker_images.base.storage"
OPEN = (f"{STORAGE}:BucketStorage", f"{STORAGE}:open_storage")


def called(*whole: str, entries: tuple[str, ...] = ()) -> set[str]:
    return {call.action for call in sdk_calls(reached(whole, entries))}


def test_calls_in_shared_code_count_where_they_are_reached() -> None:
    assert {"s3:PutObjectTagging", "sqs:ReceiveMessage"} <= called(*VIDEO)
    assert not {"s3:PutObjectTagging", "sqs:ReceiveMessage"} & called(*API)


def test_a_presigned_call_needs_what_it_signs() -> None:
    assert called(entries=(*OPEN, f"{STORAGE}:.presign_put")) == {"s3:PutObject"}


def test_a_call_may_need_another_permission_or_several() -> None:
    parts = called(entries=(*OPEN, f"{STORAGE}:.put_file"))
    assert parts == {"s3:AbortMultipartUpload", "s3:PutObject"}
    asked = called(entries=(*OPEN, f"{STORAGE}:.head"))
    assert asked == {"s3:GetObject", "s3:ListBucket"}


def test_a_client_with_keys_of_its_own_needs_nothing_of_the_role() -> None:
    found = called(*modules_below("lambdas.r2_bucket_settings"))
    assert found == {"secretsmanager:GetSecretValue"}


def test_a_client_counts_whoever_makes_it() -> None:
    entries = ("ops.facts:stacks_named",)
    assert "cloudformation:DescribeStacks" in called(entries=entries)


def test_asking_for_every_stack_needs_the_right_to_list_them() -> None:
    found = called(entries=("ops.facts:stacks",))
    assert found == {"cloudformation:DescribeStacks", "cloudformation:ListStacks"}


def test_an_entry_that_is_gone_fails() -> None:
    with pytest.raises(AssertionError, match="does not exist"):
        reached([], [f"{STORAGE}:gone"])
    with pytest.raises(AssertionError, match="holds no module"):
        modules_below("worker_images.gone")


def test_a_script_needs_what_its_commands_call() -> None:
    script = "aws ecr get-login-password | docker login\naws elbv2 describe-target-health --x"
    assert {call.action for call in script_calls(script, "here")} == {
        "ecr:GetAuthorizationToken",
        "elasticloadbalancing:DescribeTargetHealth",
    }
    with pytest.raises(AssertionError, match="here: `aws sqs sing` is not known"):
        list(script_calls("aws sqs sing", "here"))

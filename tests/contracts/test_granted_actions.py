"""Every AWS call in the code is granted to the role that makes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from tests.conftest import ROOT, Templates
from tests.templates import statements

SERVICES = ("autoscaling", "cloudwatch", "s3", "secretsmanager", "sqs", "ssm")
#: Where the permission is not named as the call:
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
PERMISSIONS = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:DeleteObjects": "s3:DeleteObject",
}
TRANSFERS = {
    "upload_file": "s3:PutObject",
    "upload_fileobj": "s3:PutObject",
    "download_file": "s3:GetObject",
    "download_fileobj": "s3:GetObject",
}
BASE = "worker_images/base"
CALLERS = {
    "video": (BASE, "worker_images/video"),
    "api": ("worker_images/api", f"{BASE}/storage.py", f"{BASE}/render_env.py"),
    "scaling": ("lambdas/queue_depth_metric",),
}


def operations() -> dict[str, str]:
    """Return IAM action by client method, as `send_message` -> `sqs:SendMessage`."""
    session = botocore.session.get_session()
    found = dict(TRANSFERS)
    for service in SERVICES:
        for name in session.get_service_model(service).operation_names:
            action = f"{service}:{name}"
            found[xform_name(name)] = PERMISSIONS.get(action, action)
    return found


def calls(path: Path) -> Iterator[str]:
    """Yield the names of called methods, and of the operations that are paginated."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr
            if node.func.attr in {"get_paginator", "get_waiter"}:
                yield from (a.value for a in node.args if isinstance(a, ast.Constant))  # type: ignore[misc]


def sources(places: tuple[str, ...]) -> Iterator[Path]:
    """Yield the Python files of some folders and files; fakes call nobody."""
    for place in places:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if not file.name.startswith("testing"):
                yield file


@pytest.mark.parametrize("stack", sorted(CALLERS))
def test_what_the_code_calls_is_granted(local: Templates, stack: str) -> None:
    known = operations()
    needed = {
        known[name] for file in sources(CALLERS[stack]) for name in calls(file) if name in known
    }
    granted: set[str] = set()
    for statement in statements(local[stack]):
        actions = statement["Action"]
        granted |= set(actions if isinstance(actions, list) else [actions])
    assert needed, "no AWS call found: this test looks in the wrong place"
    missing = {a for a in needed if not any(fnmatch(a, pattern) for pattern in granted)}
    assert missing == set()

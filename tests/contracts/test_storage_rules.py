"""No rule of either store ends a rendition; what a role may do with objects is what it does."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.contracts import storage_keys as keys
from stacks.constructs.buckets import (
    API_ACTIONS,
    API_EXPORT_ACTIONS,
    API_ROSTER_ACTIONS,
    VERSIONED_BUCKETS,
    VIDEO_ACTIONS,
    BucketRules,
)
from stacks.constructs.r2_storage import r2_lifecycle
from tests.conftest import ROOT, Templates
from tests.templates import properties

RULES = BucketRules(browser_origins=["*"], original_days=30, export_days=1)
ROLES = ("ai", "video", "excel", "storage")
numbers = st.integers(1, 10**9)
hexes = st.uuids().map(lambda found: found.hex)
RENDITIONS = st.builds(
    lambda tenant, video, name: keys.hls_prefix(tenant, video) + name,
    numbers,
    numbers,
    st.one_of(
        st.sampled_from([keys.MASTER_PLAYLIST, keys.THUMBNAIL]),
        st.builds(
            lambda rung, name: f"v{rung}/{name}",
            st.integers(1, 9),
            st.one_of(
                st.sampled_from([keys.MEDIA_PLAYLIST, keys.INIT_SEGMENT]),
                st.builds("index{}.m4s".format, st.integers(0, 10**5)),
            ),
        ),
    ),
)
ORIGINALS = st.builds(
    keys.raw_video_key, numbers, hexes, hexes, st.sampled_from(["mp4", "mov", "mkv"])
)
EXCEL = st.builds("excel/{}/{}.xlsx".format, numbers, hexes)
EXPORTS = st.builds((keys.EXCEL_EXPORTS_PREFIX + "{}/{}.xlsx").format, numbers, hexes)
FINISHED = dict([keys.EXPIRE_ORIGINAL_TAG])


def s3_rules(template: Any, bucket: str) -> list[dict[str, Any]]:
    """Return a bucket's rules in the template, with the API's names."""
    [found] = [b for b in properties(template, "AWS::S3::Bucket") if b["BucketName"] == bucket]
    return [
        {
            "Prefix": rule.get("Prefix", ""),
            "Tags": {tag["Key"]: tag["Value"] for tag in rule.get("TagFilters", [])},
            "Days": rule.get("ExpirationInDays"),
        }
        for rule in found["LifecycleConfiguration"]["Rules"]
        if rule["Status"] == "Enabled"
    ]


def r2_rules(role: str) -> list[dict[str, Any]]:
    """Return a bucket's rules as R2 is sent them."""
    return [
        {
            "Prefix": rule["Filter"]["Prefix"],  # type: ignore[index]
            "Tags": {},
            "Days": rule.get("Expiration", {}).get("Days"),  # type: ignore[attr-defined]
        }
        for rule in r2_lifecycle(role, RULES)
    ]


def lives(rules: list[dict[str, Any]], key: str, tags: Mapping[str, str] | None = None) -> Any:
    """Return after how many days a rule ends the current version of an object, None for never."""
    days = [
        rule["Days"]
        for rule in rules
        if rule["Days"] is not None
        and key.startswith(rule["Prefix"])
        and rule["Tags"].items() <= (tags or {}).items()
    ]
    return min(days, default=None)


@pytest.fixture
def stores(local: Templates) -> list[dict[str, list[dict[str, Any]]]]:
    """The rules of every bucket by role: those of S3, and those of R2."""
    s3 = {role: s3_rules(local["storage"], f"academy-{role}") for role in ROLES}
    return [s3, {role: r2_rules(role) for role in ROLES}]


def test_a_rendition_is_kept_for_ever_on_both_stores(stores: Any) -> None:
    @settings(max_examples=200, deadline=None)
    @given(RENDITIONS)
    def every(key: str) -> None:
        for store in stores:
            for role in ROLES:
                assert lives(store[role], key) is None, (role, key)

    every()


def test_an_original_goes_only_once_its_job_has_finished(stores: Any) -> None:
    s3, r2 = stores

    @settings(max_examples=200, deadline=None)
    @given(ORIGINALS)
    def every(key: str) -> None:
        assert lives(s3["video"], key) is None
        assert lives(s3["video"], key, FINISHED) == RULES.original_days
        # The API deletes there: worker_images/api/originals.py.
        assert lives(r2["video"], key, FINISHED) is None

    every()


def test_exports_go_after_a_day_and_uploads_are_left_to_the_worker(stores: Any) -> None:
    @settings(max_examples=200, deadline=None)
    @given(EXPORTS, EXCEL)
    def every(export: str, upload: str) -> None:
        for store in stores:
            assert lives(store["excel"], export) == RULES.export_days
            assert lives(store["excel"], upload) is None

    every()


def test_versions_are_kept_a_week_where_they_matter_and_nowhere_else(local: Templates) -> None:
    for bucket in properties(local["storage"], "AWS::S3::Bucket"):
        role = bucket["BucketName"].removeprefix("academy-")
        old = [
            rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
            for rule in bucket["LifecycleConfiguration"]["Rules"]
            if "NoncurrentVersionExpiration" in rule
        ]
        if role in VERSIONED_BUCKETS:
            assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
            assert old == [7]
        else:
            assert "VersioningConfiguration" not in bucket
            assert old == []


#: The receivers that are a Storage, as they are spelled in the code.
STORES = ("storage()", "ports.storage()", "self.storage", "self._storage", "ports.storage")
IN_PARTS = "s3:AbortMultipartUpload"
PERMISSIONS = {
    "delete_object": {"s3:DeleteObject"},
    "delete_objects": {"s3:DeleteObject"},
    "download_file": {"s3:GetObject"},
    "get_object": {"s3:GetObject"},
    "head_object": {"s3:GetObject"},
    "list_objects_v2": {"s3:ListBucket"},
    "put_object": {"s3:PutObject"},
    "put_object_tagging": {"s3:PutObjectTagging"},
    "upload_file": {"s3:PutObject", IN_PARTS},
}


def methods() -> dict[str, set[str]]:
    """Return the permissions that each method of BucketStorage needs, by what it names."""
    tree = ast.parse((ROOT / "worker_images/base/storage.py").read_text())
    [found] = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "BucketStorage"]
    bodies = {n.name: n for n in found.body if isinstance(n, ast.FunctionDef)}

    def needed(name: str) -> set[str]:
        said: set[str] = set()
        for node in ast.walk(bodies[name]):
            if isinstance(node, ast.Attribute):
                said |= PERMISSIONS.get(node.attr, set())
                if node.attr in bodies and node.attr != name:
                    said |= needed(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                said |= PERMISSIONS.get(node.value, set())
        return said

    return {name: needed(name) for name in bodies if not name.startswith("_")}


def uses(folder: str, skip: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the methods of a Storage that a folder's code calls or hands on."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        if path.name in skip or path.name.startswith("testing"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in STORES:
                yield node.attr


#: The modules of the API that use the excel bucket; the others use the videos'.
EXCEL_MODULES = ("excel.py", "rosters.py")


@pytest.mark.parametrize(
    ("folder", "granted", "skip"),
    [
        ("worker_images/video", VIDEO_ACTIONS, ()),
        # It hands `delete` on where the store is R2, which knows no roles.
        ("worker_images/api", API_ACTIONS, ("relay_outbox.py", *EXCEL_MODULES)),
    ],
)
def test_a_role_may_do_with_objects_exactly_what_its_code_does(
    folder: str, granted: tuple[str, ...], skip: tuple[str, ...]
) -> None:
    known = methods()
    needed: set[str] = set()
    for name in uses(folder, skip):
        needed |= known.get(name, set())
    assert needed == set(granted)


def test_the_api_may_do_with_the_excel_bucket_exactly_what_its_code_does() -> None:
    known = methods()
    used = {
        node.attr
        for name in EXCEL_MODULES
        for node in ast.walk(ast.parse((ROOT / "worker_images/api" / name).read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in (*STORES, "storage")
    }
    needed = set().union(*(known[name] for name in used if name in known))
    assert needed == {*API_ROSTER_ACTIONS, *API_EXPORT_ACTIONS}

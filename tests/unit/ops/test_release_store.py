"""The release bucket: what is written first, what a number's race and an interruption leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops.errors import OperatorError
from ops.releases.assemblies import Assembly
from ops.releases.record import DEPLOY, Release
from ops.releases.store import Store

BUCKET = "academy-releases"


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    properties = {"templateFile": "one.template.json"}
    artifact = {"type": "aws:cloudformation:stack", "properties": properties}
    manifest = {"version": "1", "artifacts": {"one": artifact}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "one.template.json").write_text('{"Resources": {}}')
    return Assembly(tmp_path)


def release(assembly: Assembly) -> Release:
    return Release(
        number=0,
        kind=DEPLOY,
        at="2026-11-21T12:00:00+00:00",
        who="an operator",
        commit="c" * 40,
        dirty=False,
        stacks=assembly.digests(),
        touched=[],
        images={},
        settings="s",
        migrations={},
    )


def keys(s3: Any) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_releases_are_numbered_in_the_order_of_their_recording(s3: Any, assembly: Assembly) -> None:
    store = Store(s3, BUCKET)
    assert store.releases() == []
    made: list[Release] = []
    for _ in range(11):
        made.append(store.add(release(assembly), assembly, after=made[-1] if made else None))
    assert [each.number for each in made] == list(range(1, 12))
    assert store.releases() == made


def test_the_assembly_comes_back_as_it_was_and_is_stored_once(
    s3: Any, assembly: Assembly, tmp_path: Path
) -> None:
    store = Store(s3, BUCKET)
    first = store.add(release(assembly), assembly, after=None)
    store.add(release(assembly), assembly, after=first)
    assert len([key for key in keys(s3) if key.startswith("assemblies/")]) == 1
    back = store.assembly(first, tmp_path / "back")
    assert back.digests() == assembly.digests()


@pytest.mark.parametrize("began_from", [0, 1])
def test_a_deploy_is_not_recorded_when_another_was_recorded_meanwhile(
    s3: Any, assembly: Assembly, began_from: int
) -> None:
    store, current = Store(s3, BUCKET), None
    for _ in range(began_from):
        current = store.add(release(assembly), assembly, after=current)
    other = replace(release(assembly), who="another")
    store.require_last(store.add(other, assembly, after=current))
    said = f"release {began_from + 1} was recorded meanwhile"
    with pytest.raises(OperatorError, match=said) as refused:
        store.add(release(assembly), assembly, after=current)
    assert refused.value.hint == "deploy again"
    if current:
        with pytest.raises(OperatorError, match=said):
            store.require_last(current)
    assert store.releases()[-1].who == "another"
    assert len(store.releases()) == began_from + 1


def test_an_interruption_while_the_assembly_is_stored_records_nothing(
    s3: Any, assembly: Assembly
) -> None:
    class Interrupted:
        """A client whose user presses Ctrl-C once the assembly is on its way."""

        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

        def put_object(self, **values: Any) -> None:
            s3.put_object(**values)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Store(Interrupted(), BUCKET).add(release(assembly), assembly, after=None)
    store = Store(s3, BUCKET)
    assert store.releases() == []
    assert store.add(release(assembly), assembly, after=None).number == 1


def test_what_a_later_verification_finds_is_noted_on_the_same_release(
    s3: Any, assembly: Assembly
) -> None:
    store = Store(s3, BUCKET)
    made = store.add(
        replace(release(assembly), problems=["BacklogCount: late"]), assembly, after=None
    )
    assert not made.verified
    assert store.note_problems(made, []).verified
    [kept] = store.releases()
    assert kept.verified
    assert kept.number == made.number


def test_what_a_failed_deploy_may_have_migrated_is_not_forgotten(
    s3: Any, assembly: Assembly
) -> None:
    store = Store(s3, BUCKET)
    current = replace(release(assembly), migrations={"0001_initial": False})
    assert store.applied(None) == {}
    assert store.applied(current) == {"0001_initial": False}
    store.note_attempt({"0001_initial": False, "0002_dropped": True})
    assert store.applied(current) == {"0001_initial": False, "0002_dropped": True}
    assert store.releases() == []

"""Where releases are kept: the environment's release bucket.

`assemblies/<fingerprint>.zip` comes first, `releases/<number>.json` last and only if no other
deploy took that number meanwhile: whatever stops in between leaves no record of half a release.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from config.contracts.parameters import RELEASE_BUCKET, found_path
from config.settings import Settings
from ops import aws
from ops.errors import OperatorError
from ops.releases import archive
from ops.releases.assemblies import Assembly
from ops.releases.record import Release, from_json

_RECORDS = "releases/"
_ATTEMPT = "attempt.json"
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class Store:
    """The recorded releases of one bucket. `s3` is a client."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def releases(self) -> list[Release]:
        """Return every release, the oldest first; the last is the current one."""
        pages = self._s3.get_paginator("list_objects_v2")
        found = []
        for page in pages.paginate(Bucket=self._bucket, Prefix=_RECORDS):
            for item in page.get("Contents", []):
                found.append(from_json(json.loads(self._read(item["Key"]))))
        return sorted(found, key=lambda release: release.number)

    def add(self, release: Release, assembly: Assembly, *, after: Release | None) -> Release:
        """Record a release as the next of the one that it began from, and return it numbered.

        Raises: OperatorError when another was recorded since: what runs is a mixture then.
        """
        self._put_new(_assembly_key(release), archive.pack(assembly))
        numbered = replace(release, number=after.number + 1 if after else 1)
        if not self._put_new(_record_key(numbered), _encoded(numbered)):
            raise _overtaken(numbered.number)
        return numbered

    def require_last(self, release: Release) -> None:
        """Raise OperatorError when another release was recorded after this one."""
        if (last := self.releases()[-1].number) != release.number:
            raise _overtaken(last)

    def note_problems(self, release: Release, problems: Sequence[str]) -> Release:
        """Record what a further verification of a release found, and return it so."""
        noted = replace(release, problems=list(problems))
        self._s3.put_object(Bucket=self._bucket, Key=_record_key(noted), Body=_encoded(noted))
        return noted

    def note_attempt(self, migrations: Mapping[str, bool]) -> None:
        """Keep what a deploy brings to the database, before it does: it may fail after that."""
        body = json.dumps(dict(migrations)).encode()
        self._s3.put_object(Bucket=self._bucket, Key=_ATTEMPT, Body=body)

    def applied(self, current: Release | None) -> dict[str, bool]:
        """Return the migrations that the database has, those of a deploy that failed as well."""
        known = dict(current.migrations) if current else {}
        try:
            return {**json.loads(self._read(_ATTEMPT)), **known}
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return known
            raise

    def assembly(self, release: Release, directory: Path) -> Assembly:
        """Write the recorded assembly of a release to a directory, and return it."""
        return archive.unpack(self._read(_assembly_key(release)), directory)

    def _read(self, key: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return content

    def _put_new(self, key: str, content: bytes) -> bool:
        """Write an object unless it is there; return whether it was written."""
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in _TAKEN:
                return False
            raise
        return True


def open_store(settings: Settings) -> Store | None:
    """Return the environment's store, None before the first deploy made its bucket."""
    region = settings.aws.region
    name = found_path(settings.environment, RELEASE_BUCKET)
    try:
        found = aws.client("ssm", region).get_parameter(Name=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return None
        raise
    return Store(aws.client("s3", region), found["Parameter"]["Value"])


def recorded(settings: Settings) -> list[Release]:
    """Return the environment's releases, the oldest first; none before its first deploy."""
    store = open_store(settings)
    return store.releases() if store else []


def _overtaken(number: int) -> OperatorError:
    return OperatorError(
        f"release {number} was recorded meanwhile, by another deploy; this one was not recorded",
        hint="deploy again",
    )


def _assembly_key(release: Release) -> str:
    return f"assemblies/{release.fingerprint}.zip"


def _record_key(release: Release) -> str:
    return f"{_RECORDS}{release.number:06}.json"


def _encoded(release: Release) -> bytes:
    return json.dumps(release.as_json(), indent=1, ensure_ascii=False).encode()

"""The part of a cloud assembly that a deploy needs: its stacks, their files and their digests.

https://docs.aws.amazon.com/cdk/v2/guide/deploy.html#deploy-how-synth-app
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ops.errors import OperatorError

MANIFEST = "manifest.json"
_STACK = "aws:cloudformation:stack"
_ASSETS = "cdk:asset-manifest"


@dataclass(frozen=True)
class Assembly:
    """A directory that `cdk synth` wrote. Only what its manifest names belongs to it.

    Raises: OperatorError when there is no manifest, or a file that it names is missing.
    """

    directory: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest without the artifacts that describe the synth rather than the deploy."""
        whole = self.json(MANIFEST)
        kept = {
            name: artifact
            for name, artifact in whole["artifacts"].items()
            if artifact["type"] in {_STACK, _ASSETS}
        }
        return {**whole, "artifacts": kept}

    @cached_property
    def stacks(self) -> tuple[str, ...]:
        """The names of the stacks, in the manifest's order: a stack follows those it needs."""
        artifacts = self.manifest["artifacts"].items()
        return tuple(name for name, artifact in artifacts if artifact["type"] == _STACK)

    def template(self, stack: str) -> Mapping[str, Any]:
        """Return a stack's template."""
        return self.json(self.template_file(stack))

    def template_file(self, stack: str) -> str:
        """Return the path of a stack's template below the directory."""
        return str(self.manifest["artifacts"][stack]["properties"]["templateFile"])

    def templates(self) -> dict[str, Mapping[str, Any]]:
        """Return every template by its stack."""
        return {stack: self.template(stack) for stack in self.stacks}

    def artifacts(self, stack: str) -> list[str]:
        """Return the artifacts of a stack: itself and its asset manifest."""
        own = self.manifest["artifacts"][stack]["properties"].get("additionalDependencies", [])
        return [stack, *own]

    def files(self, stack: str) -> list[str]:
        """Return the paths of a stack's files below the directory, sorted."""
        named = {path for name in self.artifacts(stack) for path in self._named(name)}
        return sorted(set(self._walked(named)))

    def all_files(self) -> list[str]:
        """Return the paths of every stack's files below the directory, without the manifest."""
        return sorted({path for stack in self.stacks for path in self.files(stack)})

    def digest(self, stack: str) -> str:
        """Return the SHA-256 of a stack's template, tags and protection: equal, nothing changes.

        Assets count as well: a template names each by the hash of its content.
        """
        properties = self.manifest["artifacts"][stack]["properties"]
        found = hashlib.sha256(json.dumps(properties, sort_keys=True).encode())
        found.update((self.directory / properties["templateFile"]).read_bytes())
        return found.hexdigest()

    def digests(self) -> dict[str, str]:
        """Return every stack's digest by its name."""
        return {stack: self.digest(stack) for stack in self.stacks}

    def json(self, path: str) -> dict[str, Any]:
        """Return the content of a JSON file of the assembly."""
        file = self.directory / path
        if not file.is_file():
            raise OperatorError(f"{file} is missing: {self.directory} is no whole cloud assembly")
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return found

    def _named(self, name: str) -> Iterator[str]:
        """Yield the files and directories that an artifact names."""
        artifact = self.manifest["artifacts"][name]
        if artifact.get("additionalMetadataFile"):
            yield artifact["additionalMetadataFile"]
        if artifact["type"] == _STACK:
            yield artifact["properties"]["templateFile"]
            return
        file = artifact["properties"]["file"]
        yield file
        for asset in self.json(file)["files"].values():
            yield asset["source"]["path"]

    def _walked(self, named: Iterable[str]) -> Iterator[str]:
        for path in named:
            place = self.directory / path
            if place.is_dir():
                below = (file for file in place.rglob("*") if file.is_file())
                yield from (file.relative_to(self.directory).as_posix() for file in below)
            elif place.is_file():
                yield path
            else:
                raise OperatorError(f"{place} is missing: {self.directory} is no whole assembly")

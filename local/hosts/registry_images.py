"""ECR's view of the images that `python -m local images` built: their digests, and further tags."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from local.protocol import NotOurs, ServiceError


class RegistryImages:
    """Answers for the repositories whose images lie in `directory`; the repositories are moto's.

    A digest is the SHA-256 of an image's files, whatever its tag. A tag that is put beside is a
    link to the directory of the first; `local.image_retention` keeps what is linked.
    """

    name = "ecr"

    def __init__(self, directory: Path, *, account: str) -> None:
        self._directory = directory
        self._account = account
        self._operations = {
            "DescribeImages": self._describe,
            "BatchGetImage": self._get,
            "PutImage": self._put,
        }

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer what is asked of images. Raises: NotOurs; ServiceError in ECR's words."""
        repository = self._directory / str(params.get("repositoryName"))
        if operation not in self._operations or not repository.is_dir():
            raise NotOurs
        return self._operations[operation](repository, params)

    def _describe(self, repository: Path, params: Mapping[str, Any]) -> dict[str, Any]:
        known = _known(repository)
        details = []
        for wanted in params.get("imageIds") or [{"imageTag": tag} for tag in known]:
            found = wanted.get("imageDigest") or known.get(wanted.get("imageTag", ""))
            tags = [tag for tag, each in known.items() if each == found]
            if not tags:
                raise self._missing(repository, wanted)
            details.append({**self._named(repository), "imageDigest": found, "imageTags": tags})
        return {"imageDetails": details}

    def _get(self, repository: Path, params: Mapping[str, Any]) -> dict[str, Any]:
        known = _known(repository)
        wanted = [each["imageTag"] for each in params["imageIds"]]
        return {
            "images": [
                {
                    **self._named(repository),
                    "imageId": {"imageTag": tag, "imageDigest": known[tag]},
                    "imageManifest": json.dumps({"digest": known[tag]}),
                }
                for tag in wanted
                if tag in known
            ],
            "failures": [
                {"imageId": {"imageTag": tag}, "failureCode": "ImageNotFound"}
                for tag in wanted
                if tag not in known
            ],
        }

    def _put(self, repository: Path, params: Mapping[str, Any]) -> dict[str, Any]:
        known, tag = _known(repository), str(params["imageTag"])
        wanted = json.loads(params["imageManifest"]).get("digest")
        names = [each for each, found in known.items() if found == wanted]
        if not names:
            raise self._missing(repository, {"imageDigest": wanted})
        if tag in known:
            code = "ImageAlreadyExists" if known[tag] == wanted else "ImageTagAlreadyExists"
            raise ServiceError(
                f"{code}Exception",
                f"Image with tag '{tag}' exists in the '{repository.name}' repository",
            )
        target = (repository / names[0]).resolve()
        (repository / tag).symlink_to(target.name, target_is_directory=True)
        image = {"imageTag": tag, "imageDigest": wanted}
        return {"image": {**self._named(repository), "imageId": image}}

    def _named(self, repository: Path) -> dict[str, str]:
        return {"registryId": self._account, "repositoryName": repository.name}

    def _missing(self, repository: Path, wanted: Mapping[str, Any]) -> ServiceError:
        return ServiceError(
            "ImageNotFoundException",
            f"The image with imageId {dict(wanted)} does not exist within the repository with "
            f"name '{repository.name}' in the registry with id '{self._account}'",
        )


def digest(image: Path) -> str:
    """Return the digest of an image's directory, which never changes once it is there."""
    return _digest(image.resolve())


@cache
def _digest(image: Path) -> str:
    found = hashlib.sha256((image / "image.json").read_bytes())
    rootfs = image / "rootfs"
    for file in _files(rootfs):
        content = file.read_bytes()
        name = file.relative_to(rootfs).as_posix()
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return f"sha256:{found.hexdigest()}"


def _files(rootfs: Path) -> Iterator[Path]:
    for path in sorted(rootfs.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _known(repository: Path) -> dict[str, str]:
    """Return the digest of each tag of a repository."""
    return {path.name: digest(path) for path in sorted(repository.glob("[!.]*"))}

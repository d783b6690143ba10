"""The images that templates run, by `repository:tag`, and their digests in the registry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from config.contracts.names import IMAGES, released_tag_prefix
from ops import aws

_REPOSITORIES = "|".join(re.escape(name) for name in sorted(IMAGES.values()))
#: An image in a boot script or a task definition. The registry's host is often an intrinsic.
_IMAGE = re.compile(rf"/({_REPOSITORIES}):([A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})")

#: What ECR answers for a tag that is there; the second where tags are immutable.
#: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html#API_PutImage_Errors
_HAS_IT = frozenset({"ImageAlreadyExistsException", "ImageTagAlreadyExistsException"})


def images(templates: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return every `repository:tag` that templates name, sorted."""
    return sorted(
        {
            f"{repository}:{tag}"
            for template in templates
            for text in texts(template)
            for repository, tag in _IMAGE.findall(text)
        }
    )


def texts(value: Any) -> Iterator[str]:
    """Yield every text of a template's value, wherever it stands."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def digests(names: Iterable[str], region: str) -> dict[str, str]:
    """Return the registry's digest of each image; an image that is not there has none.

    Raises: botocore's errors, but for an image or a repository that does not exist.
    """
    found = {}
    for name in names:
        repository, _, tag = name.partition(":")
        try:
            answer = aws.client("ecr", region).describe_images(
                repositoryName=repository, imageIds=[{"imageTag": tag}]
            )
        except ClientError as error:
            if not error.response["Error"]["Code"].endswith("NotFoundException"):
                raise
        else:
            found[name] = str(answer["imageDetails"][0]["imageDigest"])
    return found


def keep(known: Mapping[str, str], environment: str, region: str) -> None:
    """Give images the tag of what an environment released, which its registry keeps longer.

    `known` maps each image to its digest.

    Raises: botocore's errors, but for an image that has the tag already.
    """
    ecr = aws.client("ecr", region)
    for name, digest in known.items():
        repository, _, tag = name.partition(":")
        released = released_tag_prefix(environment) + tag
        found = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
        [image] = found["images"]
        media = {
            key: image[key] for key in ("imageManifest", "imageManifestMediaType") if key in image
        }
        try:
            ecr.put_image(repositoryName=repository, imageTag=released, **media)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _HAS_IT:
                raise
            kept = f"{repository}:{released}"
            if digests([kept], region).get(kept) != digest:
                raise

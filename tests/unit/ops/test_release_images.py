"""The tag that a released image gets: given once, and never to another image."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from config.contracts.names import released_tag_prefix
from ops.releases import images

NAME = "academy-api:one"
RELEASED = f"academy-api:{released_tag_prefix('dev')}one"


class Registry:
    """A registry that holds one image and answers a put with an error, if there is one."""

    def __init__(self, code: str | None) -> None:
        self._code = code
        self.put: list[tuple[str, str]] = []

    def batch_get_image(self, **_: object) -> dict[str, object]:
        return {"images": [{"imageManifest": "the manifest"}]}

    def put_image(self, *, repositoryName: str, imageTag: str, imageManifest: str) -> None:  # noqa: N803
        if self._code:
            raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, "PutImage")
        self.put.append((f"{repositoryName}:{imageTag}", imageManifest))


def kept(monkeypatch: pytest.MonkeyPatch, code: str | None, there: str = "sha256:1") -> Registry:
    """Keep an image of the digest `sha256:1` where the released tag stands for `there`."""
    registry = Registry(code)
    monkeypatch.setattr(images.aws, "client", lambda *_: registry)
    monkeypatch.setattr(images, "digests", lambda names, _: dict.fromkeys(names, there))
    images.keep({NAME: "sha256:1"}, "dev", "ap-northeast-2")
    return registry


def test_a_released_image_gets_the_tag_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept(monkeypatch, None).put == [(RELEASED, "the manifest")]


@pytest.mark.parametrize("code", ["ImageAlreadyExistsException", "ImageTagAlreadyExistsException"])
def test_an_image_that_has_the_tag_already_keeps_it(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    assert kept(monkeypatch, code).put == []


@pytest.mark.parametrize(
    ("code", "there"),
    [("ImageTagAlreadyExistsException", "sha256:2"), ("LimitExceededException", "sha256:1")],
)
def test_a_tag_of_another_image_or_another_error_is_no_success(
    monkeypatch: pytest.MonkeyPatch, code: str, there: str
) -> None:
    with pytest.raises(ClientError, match=code):
        kept(monkeypatch, code, there)

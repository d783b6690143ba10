"""Images are built from Dockerfiles without an engine; what is not understood is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.dockerfile import DockerfileError
from local.hosts.registry_images import RegistryImages
from local.images import build_images
from local.protocol import NotOurs, ServiceError

BASE = """\
# syntax comment
ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS build
COPY worker_images/base/requirements.txt /tmp/requirements.txt
RUN pip install \\
    --prefix /install -r /tmp/requirements.txt
FROM python:${PYTHON}-slim
ARG HOME_DIR=/app
ENV PYTHONUNBUFFERED=1 PYTHONPATH=${HOME_DIR}
WORKDIR $HOME_DIR
COPY --from=build /venv /venv
COPY config/contracts ./config/contracts
COPY --chown=1000:1000 worker_images/__init__.py worker_images/
USER academy
LABEL org.example.title="base image"
STOPSIGNAL SIGTERM
EXPOSE 8080
HEALTHCHECK CMD ["true"]
ENTRYPOINT ["tini", "--"]
"""
API = """\
ARG BASE_IMAGE=academy-base
FROM ${BASE_IMAGE}
COPY worker_images/api/*.py worker_images/api/
ENV EXTRA="two words" PYTHONPATH=$PYTHONPATH:/more
CMD ["python", "-m", "worker_images.api"]
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A small repository with two images."""
    for name, content in {
        "config/contracts/names.py": "A = 1\n",
        "config/contracts/__pycache__/names.cpython-311.pyc": "stale",
        "worker_images/__init__.py": "",
        "worker_images/base/requirements.txt": "x==1\n",
        "worker_images/base/Dockerfile": BASE,
        "worker_images/api/__main__.py": "print('api')\n",
        "worker_images/api/notes.txt": "not copied\n",
        "worker_images/api/Dockerfile": API,
    }.items():
        path = tmp_path / "repo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "repo"


def files(image: Path) -> set[str]:
    """Return what lies in an image, bytecode aside."""
    root = image / "rootfs"
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_an_image_has_its_bases_files_and_configuration_and_its_own(context, tmp_path):
    tag = build_images(context, tmp_path)
    image = tmp_path / "images" / "academy-api" / tag
    assert files(image) == {
        "app/config/contracts/names.py",
        "app/worker_images/__init__.py",
        "app/worker_images/api/__main__.py",
    }
    assert json.loads((image / "image.json").read_text()) == {
        "env": {"PYTHONUNBUFFERED": "1", "PYTHONPATH": "/app:/more", "EXTRA": "two words"},
        "workdir": "/app",
        "user": "academy",
        "command": ["python", "-m", "worker_images.api"],
        "entrypoint": ["tini", "--"],
    }


def test_the_tag_stays_while_nothing_that_is_copied_changes(context, tmp_path):
    tag = build_images(context, tmp_path)
    (context / "worker_images/api/notes.txt").write_text("changed\n")
    (context / "config/contracts/__pycache__/names.cpython-311.pyc").write_text("newer")
    assert len(tag) == 12
    assert build_images(context, tmp_path) == tag
    assert [path.name for path in (tmp_path / "images/academy-api").iterdir()] == [tag]


@pytest.mark.parametrize(
    "path",
    [
        "config/contracts/names.py",
        "worker_images/api/__main__.py",
        "worker_images/base/requirements.txt",
        "worker_images/api/Dockerfile",
    ],
)
def test_a_changed_file_changes_the_one_tag_of_all_images(context, tmp_path, path):
    tag = build_images(context, tmp_path)
    with (context / path).open("a") as file:
        file.write("# more\n")
    changed = build_images(context, tmp_path)
    assert changed != tag
    for repository in ("academy-base", "academy-api"):
        assert {p.name for p in (tmp_path / "images" / repository).iterdir()} == {tag, changed}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ADD x /x", r"Dockerfile:6: ADD is not understood; allowed: ARG, CMD, COPY"),
        ("COPY --parents a /b", r"Dockerfile:6: COPY --parents is not understood"),
        ("COPY --from=other /a /b", r"COPY --from=other: no stage above has that name"),
        ("COPY nowhere/ /app/", r"Dockerfile:6: COPY nowhere/: not found"),
        ("CMD python -m x", r"Dockerfile:6: CMD 'python -m x' must be a JSON list"),
        ("WORKDIR $NOWHERE", r"WORKDIR uses \$NOWHERE, which no ARG or ENV"),
        ("COPY a b /c", r"several sources need a target ending in '/'"),
        ("COPY . /app/", r"COPY .: the whole context; name what is needed"),
        ("RUN x \\", r"ends with a backslash"),
    ],
)
def test_what_is_not_understood_is_refused_with_file_and_line(context, tmp_path, line, message):
    with (context / "worker_images/api/Dockerfile").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DockerfileError, match=message):
        build_images(context, tmp_path)
    assert not (tmp_path / "images" / "academy-api").exists()


def test_a_stages_build_product_that_no_copy_brings_is_refused(context, tmp_path):
    dockerfile = context / "worker_images/api/Dockerfile"
    dockerfile.write_text("FROM x AS b\nRUN make\nFROM x\nCOPY --from=b /out/app /app/\n")
    with pytest.raises(DockerfileError, match=r"/out/app: no COPY of that stage brings it"):
        build_images(context, tmp_path)


def test_files_of_a_known_stage_are_copied(context, tmp_path):
    dockerfile = context / "worker_images/api/Dockerfile"
    dockerfile.write_text(
        "FROM x AS b\nCOPY config/ /src/config\nFROM x\nCOPY --from=b /src/config/ /app/c/\n"
    )
    tag = build_images(context, tmp_path)
    assert files(tmp_path / "images/academy-api" / tag) == {"app/c/contracts/names.py"}


def test_the_last_five_tags_stay_with_one_that_was_built_again(context, tmp_path):
    def build(number: int) -> str:
        (context / "worker_images/api/__main__.py").write_text(f"print({number})\n")
        return build_images(context, tmp_path)

    first, *later = [build(number) for number in range(5)]
    assert build(0) == first
    later.append(build(5))

    for repository in ("academy-api", "academy-base"):
        kept = {path.name for path in (tmp_path / "images" / repository).iterdir()}
        assert kept == {first, *later[1:]}


def test_a_tag_that_a_container_runs_outlives_any_number_of_builds(context, tmp_path):
    def build(number: int) -> str:
        (context / "worker_images/api/__main__.py").write_text(f"print({number})\n")
        return build_images(context, tmp_path)

    running, ended = build(0), build(1)
    for name, tag, status in (("a", running, "running"), ("b", ended, "exited")):
        record = tmp_path / "instances" / f"i-{name}" / "containers" / "academy-api.json"
        record.parent.mkdir(parents=True)
        record.write_text(json.dumps({"image": f"registry/academy-api:{tag}", "status": status}))
    for number in range(2, 9):
        build(number)

    kept = {path.name for path in (tmp_path / "images" / "academy-api").iterdir()}
    assert running in kept
    assert ended not in kept


def test_a_released_image_outlives_the_builds_after_it(context, tmp_path):
    def build(number: int) -> str:
        (context / "worker_images/api/__main__.py").write_text(f"print({number})\n")
        return build_images(context, tmp_path)

    released, forgotten = build(0), build(1)
    put_tag(tmp_path / "images", released, f"released-local-{released}")
    for number in range(2, 9):
        build(number)
    kept = {path.name for path in (tmp_path / "images" / "academy-api").iterdir()}
    assert {released, f"released-local-{released}"} <= kept
    assert forgotten not in kept


def put_tag(images: Path, tag: str, further: str) -> dict:
    """Give an image of academy-api a further tag, as a deploy does with the registry."""
    registry = RegistryImages(images, account="123456789012")
    name = {"repositoryName": "academy-api"}
    found = registry.handle("BatchGetImage", {**name, "imageIds": [{"imageTag": tag}]})
    manifest = {"imageManifest": found["images"][0]["imageManifest"]}
    return registry.handle("PutImage", {**name, **manifest, "imageTag": further})


def test_the_registry_knows_an_image_by_every_tag_and_by_its_digest(context, tmp_path):
    tag = build_images(context, tmp_path)
    images = tmp_path / "images"
    registry = RegistryImages(images, account="123456789012")
    put_tag(images, tag, "released-local-1")

    def described(**wanted: str) -> dict:
        asked = {"repositoryName": "academy-api", "imageIds": [wanted]}
        return registry.handle("DescribeImages", asked)["imageDetails"][0]

    found = described(imageTag=tag)
    assert found["imageDigest"].startswith("sha256:")
    assert set(found["imageTags"]) == {tag, "released-local-1"}
    assert described(imageTag="released-local-1") == found
    assert described(imageDigest=found["imageDigest"]) == found
    for wanted in ({"imageTag": "never-built"}, {"imageDigest": "sha256:0"}):
        with pytest.raises(ServiceError, match="does not exist") as missing:
            described(**wanted)
        assert missing.value.code == "ImageNotFoundException"


def test_a_tag_of_the_registry_is_given_once(context, tmp_path):
    tag = build_images(context, tmp_path)
    put_tag(tmp_path / "images", tag, "released-local-1")
    with pytest.raises(ServiceError) as same:
        put_tag(tmp_path / "images", tag, "released-local-1")
    assert same.value.code == "ImageAlreadyExistsException"
    (context / "worker_images/api/__main__.py").write_text("print('other')\n")
    other = build_images(context, tmp_path)
    with pytest.raises(ServiceError) as taken:
        put_tag(tmp_path / "images", other, "released-local-1")
    assert taken.value.code == "ImageTagAlreadyExistsException"


def test_a_repository_without_images_here_is_not_the_registrys(tmp_path):
    registry = RegistryImages(tmp_path, account="123456789012")
    with pytest.raises(NotOurs):
        registry.handle("DescribeImages", {"repositoryName": "academy-api"})
    with pytest.raises(NotOurs):
        registry.handle("DescribeRepositories", {})

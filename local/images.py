"""Images without a container engine: a directory of the copied files and a JSON of the rest.

`worker_images/<kind>/Dockerfile` becomes `<state>/images/<repository>/<tag>/` with `rootfs/` and
`image.json`. What RUN installs is not there: the virtual environment has the same locked packages.
"""

from __future__ import annotations

import compileall
import hashlib
import json
import os
import py_compile
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from config.contracts.names import IMAGES
from local.dockerfile import Copy, DockerfileError, Stage, parse
from local.image_retention import drop_old, tags_in_use

TAG_LENGTH = 12
#: Where RUN puts packages; a stage that copies them gets them from the virtual environment.
PACKAGES = ("/usr/", "/venv/", "/added/")


@dataclass
class Image:
    """What a container starts with; `rootfs` maps its paths to files of the build context."""

    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    rootfs: dict[str, Path] = field(default_factory=dict)

    def extended(self) -> Image:
        """Return a copy that a further stage may change."""
        return Image(
            dict(self.env),
            self.workdir,
            self.user,
            list(self.command),
            list(self.entrypoint),
            dict(self.rootfs),
        )


def images_directory(state_dir: Path) -> Path:
    """Return where the images of a state directory lie."""
    return state_dir / "images"


def build_images(repo_root: Path, state_dir: Path) -> str:
    """Build every image that has a Dockerfile, and return the one tag of them all.

    The tag is the SHA-256 (12 hex digits) of the Dockerfiles, their requirements and everything
    they copy. An image that exists is left alone; a new one appears in one move. Of each
    repository the tags built last stay, and those that a container runs.

    Raises: DockerfileError naming file and line.
    """
    built: dict[str, Image] = {}
    digest = hashlib.sha256()
    for kind, repository in IMAGES.items():
        directory = repo_root / "worker_images" / kind
        if not (directory / "Dockerfile").exists():
            continue
        built[repository] = _build(directory / "Dockerfile", repo_root, built)
        for name in ("Dockerfile", "requirements.txt"):
            if (directory / name).exists():
                _feed(digest, f"{repository} {name}", directory / name)
        for target, source in sorted(built[repository].rootfs.items()):
            _feed(digest, f"{repository} {target}", source)
    tag = digest.hexdigest()[:TAG_LENGTH]
    in_use = tags_in_use(state_dir)
    for repository, image in built.items():
        directory = images_directory(state_dir) / repository / tag
        _store(image, directory)
        os.utime(directory)  # built now, even if it was there
        drop_old(directory.parent, in_use)
    return tag


def _feed(digest: hashlib._Hash, name: str, file: Path) -> None:
    content = file.read_bytes()
    executable = os.access(file, os.X_OK)
    digest.update(f"{name}\0{executable}\0{len(content)}\0".encode())
    digest.update(content)


def _build(dockerfile: Path, context: Path, built: Mapping[str, Image]) -> Image:
    stages: dict[str, Image] = {}
    image = Image()
    for number, stage in enumerate(parse(dockerfile)):
        base = stages.get(stage.base.lower()) or built.get(stage.base.partition(":")[0])
        image = base.extended() if base else Image()
        for relative in stage.copies:
            target = os.path.join(image.workdir, relative.target)  # noqa: PTH118 (keeps a last '/')
            copy = replace(relative, target=target)
            image.rootfs.update(_copied(copy, dockerfile, context, stages))
        _configure(image, stage)
        stages[stage.name or str(number)] = stages[str(number)] = image
    return image


def _configure(image: Image, stage: Stage) -> None:
    image.env.update({name: _inherited(value, image.env) for name, value in stage.env.items()})
    image.workdir = str(Path(image.workdir) / (stage.workdir or ""))
    image.user = stage.user or image.user
    image.entrypoint = image.entrypoint if stage.entrypoint is None else stage.entrypoint
    image.command = image.command if stage.command is None else stage.command


def _inherited(value: str, env: Mapping[str, str]) -> str:
    for name, known in env.items():
        value = value.replace(f"${{{name}}}", known).replace(f"${name}", known)
    return value


def _copied(
    copy: Copy, dockerfile: Path, context: Path, stages: Mapping[str, Image]
) -> dict[str, Path]:
    """Return the files that one COPY brings: path in the image -> file."""
    where = f"{dockerfile}:{copy.line}: COPY"
    if copy.stage is not None:
        stage = stages.get(copy.stage.lower())
        if stage is None:
            raise DockerfileError(f"{where} --from={copy.stage}: no stage above has that name")
        return _from_stage(copy, stage, where)
    found: dict[str, Path] = {}
    for source in copy.sources:
        name = source.removeprefix("./").strip("/")
        if name in {"", "."}:
            raise DockerfileError(f"{where} {source}: the whole context; name what is needed")
        matches = sorted(context.glob(name))
        if not matches:
            raise DockerfileError(f"{where} {source}: not found below {context}")
        for match in matches:
            found.update(_placed(match, copy.target))
    return found


def _placed(source: Path, target: str) -> Iterator[tuple[str, Path]]:
    """Yield where a file, or everything below a directory, comes to lie. No bytecode."""
    if source.is_file():
        yield (target + source.name if target.endswith("/") else target), source
        return
    for file in sorted(source.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield f"{target.rstrip('/')}/{file.relative_to(source).as_posix()}", file


def _from_stage(copy: Copy, stage: Image, where: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for source in copy.sources:
        prefix = source.rstrip("/") + "/"
        below = {path: file for path, file in stage.rootfs.items() if path.startswith(prefix)}
        for path, file in below.items():
            found[f"{copy.target.rstrip('/')}/{path.removeprefix(prefix)}"] = file
        if source in stage.rootfs:
            found.update(_placed(stage.rootfs[source], copy.target))
        elif not below and not prefix.startswith(PACKAGES):
            raise DockerfileError(
                f"{where} --from={copy.stage} {source}: no COPY of that stage brings it; only "
                f"packages ({', '.join(PACKAGES)}) come from the virtual environment"
            )
    return found


def _store(image: Image, directory: Path) -> None:
    if directory.exists():
        return
    directory.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".building-", dir=directory.parent))
    try:
        for target, source in image.rootfs.items():
            path = aside / "rootfs" / target.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, path)
        (aside / "rootfs" / image.workdir.lstrip("/")).mkdir(parents=True, exist_ok=True)
        compileall.compile_dir(
            aside,
            quiet=2,
            stripdir=str(aside),
            prependdir=str(directory),
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        facts = {key: value for key, value in asdict(image).items() if key != "rootfs"}
        (aside / "image.json").write_text(json.dumps(facts, indent=1))
        aside.chmod(0o755)
        aside.rename(directory)
    except OSError:
        if not (directory / "image.json").exists():  # unless another build was faster
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)

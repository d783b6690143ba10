"""Whether a synthesized assembly still stands for its inputs. Pure but for reading files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

#: What a template is made from, besides environment and image tag.
SOURCES = ("app.py", "cdk.json", "requirements.txt", "config", "stacks", "lambdas")


def fingerprint(
    root: Path, environment: str, image_tag: str, users_per_day: int | None = None
) -> str:
    """Return the SHA-256 of everything that the templates of an environment depend on."""
    digest = hashlib.sha256(f"{environment}\0{image_tag}\0{users_per_day}\0".encode())
    for path in _files(root):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_current(assembly: Path, expected: str) -> bool:
    """Return whether an assembly is complete and was made from the expected inputs."""
    stamp = stamp_of(assembly)
    complete = (assembly / "manifest.json").is_file() and stamp.is_file()
    return complete and stamp.read_text("utf-8") == expected


def stamp_of(assembly: Path) -> Path:
    """Return the file beside an assembly that holds its inputs' fingerprint."""
    return assembly.parent / f"{assembly.name}.inputs"


def _files(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        place = root / name
        found = place.rglob("*") if place.is_dir() else iter([place])
        yield from sorted(
            path for path in found if path.is_file() and "__pycache__" not in path.parts
        )

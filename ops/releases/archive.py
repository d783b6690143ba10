"""A cloud assembly as one ZIP whose bytes depend on its content alone."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from pathlib import Path

from ops.releases.assemblies import MANIFEST, Assembly

#: The oldest moment that a ZIP can tell; a real one would make every archive differ.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16


def pack(assembly: Assembly) -> bytes:
    """Return the ZIP of what a deploy of an assembly needs; the same content, the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, MANIFEST, json.dumps(assembly.manifest, indent=1).encode())
        for path in assembly.all_files():
            _add(archive, path, (assembly.directory / path).read_bytes())
    return target.getvalue()


def unpack(content: bytes, directory: Path) -> Assembly:
    """Write a packed assembly to a directory, whole or not at all, and return it."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=directory.parent))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(aside)
        shutil.rmtree(directory, ignore_errors=True)
        aside.rename(directory)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Assembly(directory)


def _add(archive: zipfile.ZipFile, path: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(path, _MOMENT)
    entry.external_attr = _MODE
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)

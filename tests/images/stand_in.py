"""The public base image, or a stand-in of the same Debian and Python where none can be pulled.

The Dockerfiles under test stay as they are: the stand-in carries the public name. It trusts what
this machine trusts, so that pip inside it reaches the same package index.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.images.docker import Docker

NAME = "python:3.13-slim-trixie"
_AUTHORITIES = Path("/usr/local/share/ca-certificates")
_PACKAGES = "python3,python3-venv,ca-certificates"
_LEFT_OUT = ("doc", "man", "locale")
_DOCKERFILE = """\
FROM scratch
ADD rootfs.tar /
COPY authorities/ /usr/local/share/ca-certificates/
RUN update-ca-certificates && ln -s /usr/bin/python3 /usr/local/bin/python
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
CMD ["python3"]
"""


def provide(docker: Docker, folder: Path) -> None:
    """Make NAME an image of the engine: the public one, or the stand-in."""
    if docker.run("image", "inspect", NAME, timeout_s=30).returncode == 0:
        return
    if not docker.started_here:
        docker("pull", "--quiet", NAME, timeout_s=300)
        return
    folder.mkdir()
    authorities = folder / "authorities"
    authorities.mkdir()
    (authorities / "README").touch()
    for found in sorted(_AUTHORITIES.glob("*.crt")):
        shutil.copy(found, authorities)
    without = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _LEFT_OUT]
    subprocess.run(
        [
            *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}"),
            *('--aptopt=Acquire::Languages "none"', *without),
            *("trixie", str(folder / "rootfs.tar")),
        ],
        check=True,
        timeout=600,
    )
    (folder / "Dockerfile").write_text(_DOCKERFILE)
    docker("build", "--quiet", "--network", "none", "--tag", NAME, str(folder), timeout_s=300)
    (folder / "rootfs.tar").unlink()

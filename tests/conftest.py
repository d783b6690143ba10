"""Shared fixtures: every environment is synthesized once a session, in this process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings, environments, load_settings

ROOT = Path(__file__).parent.parent
# CDK runs on Node.js, which the virtual environment brings; a system's own may be too old.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
IMAGE_TAG = "0123abc"
Template = dict[str, Any]
#: Templates by stack role (`network`, `queues`, ...).
Templates = dict[str, Template]


def synthesize(settings: Settings, outdir: Path) -> Templates:
    """Return the templates of an environment, read from the assembly that they were written to.

    CDK is imported here, so that tests without templates do not pay for its start.
    """
    import aws_cdk as cdk

    from app import compose

    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    app = cdk.App(outdir=str(outdir), context=context, analytics_reporting=False)
    compose(app, settings, IMAGE_TAG)
    app.synth()
    prefix = f"academy-{settings.environment}-"
    return {
        path.name.removeprefix(prefix).removesuffix(".template.json"): json.loads(path.read_text())
        for path in sorted(outdir.glob("*.template.json"))
    }


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Templates]:
    """Return a function from an environment to its templates; each is synthesized once."""
    made: dict[str, Templates] = {}

    def of(environment: str) -> Templates:
        if environment not in made:
            outdir = tmp_path_factory.mktemp(f"assembly-{environment}")
            made[environment] = synthesize(load_settings(environment), outdir)
        return made[environment]

    return of


@pytest.fixture(scope="session", params=environments())
def environment(request: pytest.FixtureRequest) -> str:
    """Each environment in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def templates(environment: str, assemblies: Callable[[str], Templates]) -> Templates:
    """Return the templates of each environment in turn."""
    return assemblies(environment)


@pytest.fixture
def local(assemblies: Callable[[str], Templates]) -> Templates:
    """Return the templates of the local environment."""
    return assemblies("local")


@pytest.fixture
def prod(assemblies: Callable[[str], Templates]) -> Templates:
    """Return the templates of the production environment."""
    return assemblies("prod")

"""Shared fixtures: every environment is synthesized once a session, in this process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from config.settings import Settings, environments, load_settings

if TYPE_CHECKING:
    import aws_cdk as cdk

ROOT = Path(__file__).parent.parent
# CDK runs on Node.js, which the virtual environment brings; a system's own may be too old.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
IMAGE_TAG = "0123abc"
# A busy machine is no fault of what is tested.
hypothesis.settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    # CI tells of a change, not of luck; other runs look further.
    derandomize="CI" in os.environ,
)
hypothesis.settings.load_profile("any machine")
Template = dict[str, Any]
#: Templates by stack role (`network`, `queues`, ...).
Templates = dict[str, Template]

#: Fixtures that start PostgreSQL, Redis or the embedded AWS.
SERVERS = frozenset({"postgres", "postgres_uri", "redis", "_aws", "embedded", "platform"})
#: Their tests encode, read pages and hear speech.
MEDIA = ("tests/unit/video/", "tests/unit/ai/", "tests/hls/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server or works on media, so that `make unit` can leave it out.

    The tests of the embedded AWS need one, and whatever uses a fixture that starts one.
    """
    for item in items:
        if item.nodeid.startswith(MEDIA):
            item.add_marker("media")
        fixtures = set(getattr(item, "fixturenames", ()))
        parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
        if (
            "tests/local/" in item.nodeid
            or SERVERS & fixtures
            or "postgres" in [value for value in parameters if isinstance(value, str)]
        ):
            item.add_marker("server")


def composed(settings: Settings, outdir: Path) -> cdk.App:
    """Return the app of an environment, not synthesized yet.

    CDK is imported here, so that tests without templates do not pay for its start.
    """
    import aws_cdk as cdk

    from app import compose

    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    app = cdk.App(
        outdir=str(outdir),
        context=context,
        analytics_reporting=False,
        builtin_cloud_formation_validation=False,
    )
    compose(app, settings, IMAGE_TAG)
    return app


def synthesize(settings: Settings, outdir: Path) -> Templates:
    """Return the templates of an environment, read from the assembly that they were written to."""
    composed(settings, outdir).synth()
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

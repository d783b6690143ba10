"""The house rules: who may import whom, and how large a module may grow."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("config", "stacks", "lambdas", "worker_images", "ops", "local")
MAX_LINES = 250
MAX_LINES_OF_APP = 60

STDLIB = frozenset({*sys.stdlib_module_names, "__future__"})
#: Roots of our own; anything else that is not in the standard library is a package.
OURS = frozenset({*ROOMS, "app", "tests", "benchmarks"})


@dataclass(frozen=True)
class Rule:
    """What the modules below a path may import: our own modules by prefix, packages by root.

    `packages` None allows any package. A module may always import below its own `home`.
    """

    home: str
    ours: tuple[str, ...]
    packages: frozenset[str] | None = None


#: The metric function's pure modules: they decide, and do nothing else.
DECISIONS = tuple(
    f"lambdas.queue_depth_metric.{name}" for name in ("sizing", "market", "breaker", "zombies")
)
#: The first rule whose home a module stands below is the one that counts.
RULES = (
    Rule("config.contracts", (), frozenset()),
    Rule("config", ("config",), frozenset({"pydantic", "yaml"})),
    Rule("app", ("stacks", "config.settings"), frozenset({"aws_cdk", "cdk_nag"})),
    Rule("stacks.constructs", ("config.contracts",), frozenset({"aws_cdk", "constructs"})),
    Rule("stacks", ("stacks.constructs", "config"), frozenset({"aws_cdk", "constructs"})),
    Rule("lambdas", ("config.contracts",), frozenset({"boto3", "botocore"})),
    Rule("worker_images.base", ("config.contracts",)),
    Rule("worker_images", ("worker_images.base", "config.contracts")),
    # The simulator asks the controller's own decision (docs/adr/0023).
    Rule("ops.simulate", ("ops", *DECISIONS, "config.settings", "config.contracts")),
    Rule("ops", ("config.settings", "config.contracts")),
    Rule("local", ("config.settings", "config.contracts")),
)
#: A stack, a Lambda and an image are at home in their own module or package alone.
ALONE = ("stacks", "lambdas", "worker_images")


@dataclass(frozen=True)
class Import:
    """One import statement's target; `for_types` when it stands under TYPE_CHECKING."""

    module: str
    line: int
    for_types: bool


def imports(source: str) -> Iterator[Import]:
    """Yield every import of a module, those in functions too."""
    tree = ast.parse(source)
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for branch in node.body
        for inner in ast.walk(branch)
    }
    for node in ast.walk(tree):
        for_types = id(node) in guarded
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, for_types)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import; name the whole module"
            for alias in node.names:
                yield Import(f"{node.module}.{alias.name}", node.lineno, for_types)


def violations(module: str, source: str) -> list[str]:
    """Return what a module (`stacks.api`) imports against the rules, one line each."""
    rule = next(rule for rule in RULES if below(module, rule.home))
    found = []
    for each in imports(source):
        if not allowed(module, rule, each):
            found.append(f"{module}:{each.line} imports {each.module}, against '{rule.home}'")
    return found


def allowed(module: str, rule: Rule, each: Import) -> bool:
    root = each.module.split(".")[0]
    if root in STDLIB:
        return True
    if root not in OURS:
        return rule.packages is None or root in rule.packages
    if any(below(each.module, prefix) for prefix in (home_of(module, rule), *rule.ours)):
        return True
    # A stack may name another stack's type, since it is handed the object.
    return rule.home == "stacks" and each.for_types and below(each.module, "stacks")


def home_of(module: str, rule: Rule) -> str:
    """Return below what a module may always import: `lambdas.x` for `lambdas.x.handler`."""
    if rule.home in ALONE:
        return ".".join(module.split(".")[:2])
    return rule.home


def below(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(f"{prefix}.")


def modules() -> dict[str, Path]:
    """Return every module of the rooms that git would keep, by its dotted name."""
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    paths += [ROOT / "app.py"]
    return {dotted(path): path for path in paths}


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_module_imports_what_its_room_allows() -> None:
    found = [
        line
        for module, path in modules().items()
        for line in violations(module, path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


def test_every_room_is_there_and_holds_modules() -> None:
    names = modules()
    for room in ROOMS:
        assert any(below(name, room) for name in names), f"{room} holds no module"


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("config.contracts.x", "import pydantic"),
        ("config.contracts.x", "from config import settings"),
        ("config.models", "import boto3"),
        ("app", "import ops"),
        ("app", "from config.contracts import names"),
        ("stacks.api", "from stacks.queues import QueuesStack"),
        ("stacks.api", "def f():\n    from stacks import queues"),
        ("stacks.api", "import boto3"),
        ("stacks.constructs.x", "from config.settings import load_settings"),
        ("stacks.constructs.x", "from stacks.api import ApiStack"),
        (
            "stacks.constructs.x",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from stacks.api import A",
        ),
        ("lambdas.one.handler", "from lambdas.two import x"),
        ("lambdas.one.handler", "import requests"),
        ("lambdas.one.handler", "from worker_images.base import status"),
        ("worker_images.video.x", "from worker_images.api import models"),
        ("worker_images.base.x", "from worker_images.video import work"),
        ("worker_images.base.x", "from config.settings import load_settings"),
        ("ops.x", "from stacks import api"),
        ("ops.x", "import local.server"),
        ("local.x", "import ops"),
        ("local.x", "from worker_images.base import status"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str) -> None:
    assert violations(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("config.contracts.x", "import json\nfrom config.contracts import names"),
        ("stacks.api", "from stacks.constructs.web_service import WebEntry"),
        (
            "stacks.api",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from stacks.queues import Q",
        ),
        ("lambdas.one.handler", "import boto3\nfrom lambdas.one import pure"),
        ("worker_images.video.x", "from worker_images.base import status"),
        ("ops.x", "import rich\nfrom config.settings import load_settings\nfrom ops import y"),
    ],
)
def test_an_allowed_import_passes(module: str, source: str) -> None:
    assert not violations(module, source)


def test_modules_stay_small() -> None:
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules().items()}
    large = {name: count for name, count in lines.items() if count > MAX_LINES}
    assert not large, f"over {MAX_LINES} lines: {large}"
    assert lines["app"] <= MAX_LINES_OF_APP

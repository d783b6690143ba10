"""Which lines of our own code a program runs: modules by their imports, definitions by their names.

A function, class or constant is reached once a line that is reached names it, a method once such a
line has an attribute of its name, whoever's: more may be found than runs, not less. What a
framework calls by names of its own is not seen, so a program inside a framework counts whole.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.conftest import ROOT


@dataclass(frozen=True)
class Spot:
    """A node of the syntax tree of one of our modules."""

    module: str
    node: ast.AST

    @property
    def where(self) -> str:
        """Return `worker_images/base/queue.py:58`."""
        path = _path(self.module)
        assert path is not None
        return f"{path.relative_to(ROOT)}:{getattr(self.node, 'lineno', 1)}"


def modules_below(package: str) -> list[str]:
    """Return the modules of a package, fakes excepted: they call nobody."""
    found = sorted((ROOT / package.replace(".", "/")).rglob("*.py"))
    assert found, f"{package} holds no module"
    return [_dotted(path) for path in found if not path.name.startswith("testing")]


def reached(whole: Iterable[str], entries: Iterable[str] = ()) -> list[Spot]:
    """Return every node that a program reaches.

    `whole` are modules of which every line counts: the program's own, and those run with `-m`.
    `entries` are functions (`ops.release_commands:deploy`) and methods
    (`worker_images.base.storage:.put_file`) that somebody calls by their names.
    """
    program = _Program(frozenset(whole))
    for module in sorted(program.whole):
        program.load(module)
    for entry in entries:
        module, _, name = entry.partition(":")
        program.load(module)
        assert name in program.defined[module], f"{entry} does not exist"
        program.wake(name if name.startswith(".") else entry)
    assert program.spots, "nothing is reached: this looks in the wrong place"
    return program.spots


def nodes(spots: Iterable[Spot], kind: type[ast.AST]) -> Iterator[Spot]:
    """Yield the spots of a kind of node."""
    return (spot for spot in spots if isinstance(spot.node, kind))


class _Program:
    """What runs so far. Definitions sleep under `module:function` or `.method`."""

    def __init__(self, whole: frozenset[str]) -> None:
        self.whole = whole
        self.spots: list[Spot] = []
        self.defined: dict[str, set[str]] = defaultdict(set)
        self._loaded: set[str] = set()
        self._awake: set[str] = set()
        self._asleep: dict[str, list[Spot]] = defaultdict(list)

    def load(self, module: str) -> None:
        """Run a module's own statements, after those of the packages above it."""
        path = _path(module)
        if path is None or module in self._loaded:
            return
        self._loaded.add(module)
        self.load(module.rpartition(".")[0])
        for statement in _parsed(path).body:
            self._run(Spot(module, statement), whole=module in self.whole)

    def wake(self, key: str) -> None:
        self._awake.add(key)
        for spot in self._asleep.pop(key, []):
            self._enter(spot, whole=False)

    def _name(self, module: str, name: str) -> None:
        """Wake what has this name in a module, or what this name was imported for."""
        self.wake(f"{module}:{name}")
        home, _, original = _imported(module).get(name, "").partition(":")
        if original:
            self._name(home, original)

    def _run(self, spot: Spot, *, whole: bool, method: bool = False) -> None:
        """Enter a node, or let a definition sleep until somebody names it."""
        node, module = spot.node, spot.module
        if _for_types(node) or (not whole and _for_the_shell(node)):
            return
        if name := _defines(node):
            key = f".{name}" if method else f"{module}:{name}"
            local = key.removeprefix(f"{module}:")
            self.defined[module].add(local)
            if not (whole or key in self._awake):
                self._asleep[key].append(spot)
                return
        self._enter(spot, whole=whole)

    def _enter(self, spot: Spot, *, whole: bool) -> None:
        node, module = spot.node, spot.module
        self.spots.append(spot)
        if isinstance(node, ast.Name):
            self._name(module, node.id)
        elif isinstance(node, ast.Attribute):
            self.wake(f".{node.attr}")
            if isinstance(node.value, ast.Name):
                self._name(_imported(module).get(node.value.id, ""), node.attr)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for home in _homes(node):
                self.load(home)
        in_class = isinstance(node, ast.ClassDef)
        for child in ast.iter_child_nodes(node):
            self._run(
                Spot(module, child),
                whole=whole or isinstance(node, ast.FunctionDef),
                method=in_class,
            )


def _defines(node: ast.AST) -> str:
    """Return the name of a function, a class or a constant: nothing works at import."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("__"):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _for_the_shell(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)


def _homes(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Yield the modules that an import may load."""
    if isinstance(node, ast.ImportFrom):
        yield str(node.module)
    for alias in node.names:
        yield f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name


@cache
def _imported(module: str) -> dict[str, str]:
    """Return what a module's imports bind: `name` to `module`, or to `module:name`."""
    path, found = _path(module), {}
    for node in ast.walk(_parsed(path)) if path else ():
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found[alias.asname or alias.name] = (
                    inner if _path(inner) else f"{node.module}:{alias.name}"
                )
        elif isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
    return found


@cache
def _path(module: str) -> Path | None:
    """Return the file of a module of ours, None for others'."""
    base = ROOT / module.replace(".", "/")
    found = (base.with_suffix(".py"), base / "__init__.py") if module else ()
    return next((path for path in found if path.is_file()), None)


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))

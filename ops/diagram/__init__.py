"""The line's picture, drawn from synthesized templates: nothing in it is typed by hand."""

from __future__ import annotations

from pathlib import Path

from ops.diagram.bundles import bundle
from ops.diagram.graph import build
from ops.diagram.svg import render
from ops.diagram.templates import load


def draw(assembly: Path) -> str:
    """Return the SVG of an assembly's templates. Raises: OperatorError when there are none."""
    return render(bundle(build(load(assembly))))

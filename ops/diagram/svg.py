"""Lays the boxes out in columns and writes the SVG. Pure: the same graph gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from ops.diagram.bundles import FRAMES, Bundled, frame_key
from ops.diagram.nodes import Node
from ops.diagram.routes import Box, Route, routes
from ops.diagram.templates import Key

COLUMNS = ("actor", "entry schedule", "api function", "queue data bucket", "worker")
COLOURS = {
    "actor": "#6b7280",
    "entry": "#7c3aed",
    "schedule": "#db2777",
    "api": "#ea580c",
    "function": "#ea580c",
    "queue": "#db2777",
    "data": "#2563eb",
    "bucket": "#16a34a",
    "worker": "#ea580c",
}
WIDTH, HEIGHT, GAP = 305, 52, 12
COLUMN_GAP, MARGIN, PADDING, CAPTION = 130, 30, 14, 26
_FONT = "font-family=\"system-ui, -apple-system, 'Segoe UI', sans-serif\""


@dataclass(frozen=True)
class Layout:
    """Where everything stands, in pixels."""

    boxes: dict[Key, Box]
    frames: dict[str, Box]
    width: int
    height: int


def render(graph: Bundled) -> str:
    """Return the picture as an SVG document."""
    layout = arrange(graph)
    body = [
        *(_frame(role, box) for role, box in layout.frames.items()),
        *_arrows(list(routes(graph.edges, layout.boxes))),
        *(_box(node, layout.boxes[node.key]) for node in graph.nodes),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width} {layout.height}" '
        f'role="img" aria-label="The line, from upload to playback">'
    )
    marker = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#6b7280"/></marker></defs>'
    )
    ground = f'<rect width="{layout.width}" height="{layout.height}" rx="12" fill="#ffffff"/>'
    return "\n".join((head, marker, ground, *body, "</svg>")) + "\n"


def arrange(graph: Bundled) -> Layout:
    """Return the columns' boxes, each column centred; framed roles stand in their frames."""
    columns = [_column(graph, roles.split()) for roles in COLUMNS]
    tallest = max(height for _, height in columns)
    boxes: dict[Key, Box] = {}
    frames: dict[str, Box] = {}
    for index, (placed, height) in enumerate(columns):
        left = MARGIN + index * (WIDTH + COLUMN_GAP)
        top = MARGIN + (tallest - height) // 2
        for key, box in placed.items():
            moved = Box(left + box.left, top + box.top, box.width, box.height)
            boxes[key] = moved
            if key[0] == "frame":
                frames[key[1]] = moved
    width = 2 * MARGIN + len(COLUMNS) * WIDTH + (len(COLUMNS) - 1) * COLUMN_GAP
    return Layout(boxes, frames, width, tallest + 2 * MARGIN + 40)


def _column(graph: Bundled, roles: list[str]) -> tuple[dict[Key, Box], int]:
    """Return a column's boxes from its own top, and its height."""
    placed: dict[Key, Box] = {}
    top = 0
    for role in roles:
        members = [node for node in graph.nodes if node.role == role]
        framed = role in graph.frames
        if framed:
            inner = len(members) * (HEIGHT + GAP) - GAP
            height = CAPTION + inner + PADDING
            placed[frame_key(role)] = Box(-PADDING, top, WIDTH + 2 * PADDING, height)
            top += CAPTION
        for node in members:
            placed[node.key] = Box(0, top, WIDTH, HEIGHT)
            top += HEIGHT + (GAP if framed else 4 * GAP)
        if framed:
            top += PADDING + GAP
    return placed, max(0, top - GAP)


def _frame(role: str, box: Box) -> str:
    colour = COLOURS[role]
    return (
        f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}" rx="10" '
        f'fill="{colour}" fill-opacity="0.06" stroke="{colour}" stroke-opacity="0.35"/>'
        f'<text x="{box.left + PADDING}" y="{box.top + 18}" {_FONT} font-size="12" '
        f'font-weight="600" fill="{colour}">{escape(FRAMES[role])}</text>'
    )


def _box(node: Node, box: Box) -> str:
    colour = COLOURS[node.role]
    return (
        f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}" rx="8" '
        f'fill="#ffffff" stroke="{colour}" stroke-width="1.5"/>'
        f'<rect x="{box.left}" y="{box.top}" width="6" height="{box.height}" rx="3" '
        f'fill="{colour}"/>'
        f'<text x="{box.left + 18}" y="{box.top + 22}" {_FONT} font-size="13" '
        f'font-weight="600" fill="#111827">{escape(node.title)}</text>'
        f'<text x="{box.left + 18}" y="{box.top + 40}" {_FONT} font-size="11" '
        f'fill="#6b7280">{escape(node.detail)}</text>'
    )


def _arrows(drawn: list[Route]) -> Iterator[str]:
    """Yield every line first and every label after it, so that no line crosses a label."""
    for route in drawn:
        yield (
            f'<path d="{route.path}" fill="none" stroke="#6b7280" stroke-width="1.3" '
            f'marker-end="url(#tip)"/>'
        )
    for route in drawn:
        if route.label:
            yield (
                f'<text x="{route.x}" y="{route.y}" {_FONT} font-size="11" fill="#374151" '
                f'text-anchor="middle" stroke="#ffffff" stroke-width="4" paint-order="stroke">'
                f"{escape(route.label)}</text>"
            )

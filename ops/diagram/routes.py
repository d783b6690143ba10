"""Where arrows run: from side to side of neighbouring columns, or underneath what lies between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ops.diagram.graph import Edge
from ops.diagram.templates import Key

#: Further apart than this (pixels), something stands between two boxes.
_NEIGHBOURS = 200
_LANE = 26


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def middle(self) -> int:
        return self.top + self.height // 2


@dataclass(frozen=True)
class Route:
    """An SVG path, and its label with the point at which it is centred."""

    path: str
    label: str
    x: int
    y: int


@dataclass(frozen=True)
class _End:
    """One end of an arrow: which side of which box, ordered by where the other end lies."""

    box: Key
    side: str
    order: int
    edge: int
    is_source: bool


def routes(edges: Sequence[Edge], boxes: dict[Key, Box]) -> Iterator[Route]:
    """Yield a route for each arrow; the ends at one side of a box are spread along it."""
    points = _points(edges, boxes)
    bottom = max(box.top + box.height for box in boxes.values())
    lanes = 0
    for index, edge in enumerate(edges):
        source, target = boxes[edge.source], boxes[edge.target]
        if _side(source, target) == "below":
            lanes += 1
            yield _under(source, target, bottom + lanes * _LANE, edge.label)
        else:
            yield _across(points[index, True], points[index, False], edge.label)


def _side(box: Box, other: Box) -> str:
    """Return the side at which an arrow between two boxes touches the first."""
    if abs(box.left - other.left) < box.width // 2:
        return "vertical"
    distance = other.left - box.right if other.left > box.left else box.left - other.right
    if distance > _NEIGHBOURS:
        return "below"
    return "right" if other.left > box.left else "left"


def _points(
    edges: Sequence[Edge], boxes: dict[Key, Box]
) -> dict[tuple[int, bool], tuple[int, int]]:
    """Return where each arrow starts (True) and ends (False)."""
    ends: dict[tuple[Key, str], list[_End]] = {}
    for index, edge in enumerate(edges):
        for key, other, is_source in (
            (edge.source, edge.target, True),
            (edge.target, edge.source, False),
        ):
            side = _side(boxes[key], boxes[other])
            end = _End(key, side, boxes[other].middle, index, is_source)
            ends.setdefault((key, side), []).append(end)
    found = {}
    for (key, side), group in ends.items():
        box = boxes[key]
        ordered = sorted(group, key=lambda end: (end.order, end.edge))
        for place, end in enumerate(ordered, start=1):
            y = box.top + box.height * place // (len(ordered) + 1)
            x = box.right if side == "right" else box.left
            if side == "vertical":
                x = box.left + box.width // 2
                y = box.top + box.height if end.order > box.middle else box.top
            found[end.edge, end.is_source] = (x, y)
    return found


def _across(start: tuple[int, int], end: tuple[int, int], label: str) -> Route:
    (x1, y1), (x2, y2) = start, end
    middle = (x1 + x2) // 2
    path = f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    return Route(path, label, middle, (y1 + y2) // 2 - 4)


def _under(source: Box, target: Box, lane: int, label: str) -> Route:
    """Run below everything: down from the source, along a lane, up into the target."""
    x1, y1 = source.left + source.width // 2, source.top + source.height
    x2, y2 = target.left + target.width // 2, target.top + target.height
    path = f"M{x1} {y1}C{x1} {lane} {x1} {lane} {x1 + 60} {lane}"
    path += f"L{x2 - 60} {lane}C{x2} {lane} {x2} {lane} {x2} {y2}"
    return Route(path, label, (x1 + x2) // 2, lane - 5)

"""Arrows that go to every box of a frame become one arrow to the frame. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ops.diagram.graph import Edge
from ops.diagram.graph import Graph as Drawn
from ops.diagram.nodes import Node
from ops.diagram.templates import Key

#: Roles whose boxes stand together in a frame, and the frame's caption.
FRAMES = {"queue": "Queues", "data": "Data", "bucket": "Objects"}


@dataclass(frozen=True)
class Bundled:
    """Boxes, frames (keyed by role) and arrows; an arrow may end at a frame."""

    nodes: tuple[Node, ...]
    frames: tuple[str, ...]
    edges: tuple[Edge, ...]


def frame_key(role: str) -> Key:
    """Return the key under which arrows name a frame."""
    return ("frame", role)


def bundle(graph: Drawn) -> Bundled:
    """Return the graph with parallel arrows joined, and labels between the same ends too."""
    edges = set(graph.edges)
    frames = []
    for role in FRAMES:
        members = {node.key for node in graph.nodes if node.role == role}
        if not members:
            continue
        frames.append(role)
        if len(members) > 1:
            edges = _joined(edges, members, frame_key(role))
    return Bundled(graph.nodes, tuple(frames), _labelled(edges))


def _joined(edges: set[Edge], members: set[Key], frame: Key) -> set[Edge]:
    """Replace, per source and label, arrows to all members by one to their frame."""
    reached: dict[tuple[Key, str], set[Key]] = {}
    for edge in edges:
        if edge.target in members:
            reached.setdefault((edge.source, edge.label), set()).add(edge.target)
    whole = {ends for ends, targets in reached.items() if targets == members}
    kept = {
        edge
        for edge in edges
        if edge.target not in members or (edge.source, edge.label) not in whole
    }
    return kept | {Edge(source, frame, label) for source, label in whole}


def _labelled(edges: set[Edge]) -> tuple[Edge, ...]:
    """Join the labels of arrows with the same ends."""
    labels: dict[tuple[Key, Key], list[str]] = {}
    for edge in sorted(edges):
        labels.setdefault((edge.source, edge.target), []).append(edge.label)
    return tuple(
        Edge(source, target, ", ".join(filter(None, texts)))
        for (source, target), texts in sorted(labels.items())
    )

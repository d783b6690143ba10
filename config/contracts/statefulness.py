"""How a template says which of its resources hold data: metadata that the constructs write."""

from __future__ import annotations

#: Metadata key of a resource that holds data; its value says what, for a person to read.
STATEFUL = "academy:stateful"

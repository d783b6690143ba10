"""What the handlers share: make, then change to what the template says; the same on update."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from local.resources.base import Applied, Context
from local.resources.calls import missing_is_fine

Properties = Mapping[str, Any]


class Kind(ABC):
    """A resource type as three steps: `make` it, `change` it to its properties, `remove` it.

    Create is make and change, so that every property has one place that honours it; what was
    made is removed again when the change fails. Deleting what is gone already succeeds.
    """

    type_name: ClassVar[str]
    properties: ClassVar[frozenset[str]]
    replace_on: ClassVar[frozenset[str]] = frozenset()

    def create(self, context: Context, properties: Properties) -> Applied:
        """Make the resource with all its properties."""
        physical_id = self.make(context, properties)
        try:
            self.change(context, physical_id, {}, properties)
            return Applied(physical_id, self.attributes(context, physical_id, properties))
        except Exception:
            self.delete(context, physical_id, properties)
            raise

    def update(
        self, context: Context, physical_id: str, old: Properties, new: Properties
    ) -> Applied:
        """Bring the resource from its old properties to the new ones."""
        self.change(context, physical_id, old, new)
        return Applied(physical_id, self.attributes(context, physical_id, new))

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        """Remove the resource; one that is gone is fine, one in use raises AWS's error."""
        with missing_is_fine():
            self.remove(context, physical_id, properties)

    @abstractmethod
    def make(self, context: Context, properties: Properties) -> str:
        """Make the resource and return its physical id."""

    def change(  # noqa: B027 - many types have nothing to change
        self, context: Context, physical_id: str, old: Properties, new: Properties
    ) -> None:
        """Apply what differs between `old` (empty at creation) and `new`."""

    @abstractmethod
    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        """Remove the resource; may raise AWS's not-found error."""

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        """Return the values of Fn::GetAtt."""
        return {}


def changed(name: str, old: Properties, new: Properties) -> bool:
    """Say whether a property differs, absence included."""
    return bool(old.get(name) != new.get(name))

"""What ElastiCache's records share: they are found by name, and tagged by ARN."""

from __future__ import annotations

from typing import Any

from local.protocol import ServiceError


class Tags:
    """The tags of every resource, by its ARN."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}

    def put(self, arn: str, params: dict[str, Any]) -> None:
        """Add the tags among a call's parameters."""
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or []}
        self._tags.setdefault(arn, {}).update(tags)

    def add(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer AddTagsToResource."""
        self.put(params["ResourceName"], params)
        return self.listed(params)

    def remove(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer RemoveTagsFromResource."""
        for key in params["TagKeys"]:
            self._tags.get(params["ResourceName"], {}).pop(key, None)
        return self.listed(params)

    def listed(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer ListTagsForResource."""
        tags = self._tags.get(params["ResourceName"], {})
        return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}


def named(store: dict[str, dict[str, Any]], name: str, error: str) -> dict[str, Any]:
    """Return a record by its name. Raises: ServiceError of the given code."""
    if name not in store:
        raise ServiceError(error, f"{name} does not exist")
    return store[name]


def some(store: dict[str, dict[str, Any]], name: str | None, error: str) -> list[dict[str, Any]]:
    """Return all records, or the one that is asked for. Raises: ServiceError."""
    return list(store.values()) if name is None else [named(store, name, error)]

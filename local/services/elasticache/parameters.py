"""Cache parameter groups: recorded values; the local Redis runs with its own."""

from __future__ import annotations

from typing import Any

from local.protocol import ServiceError
from local.services.elasticache import views
from local.services.elasticache.tags import Tags, named, some


class ParameterGroups:
    """The operations on parameter groups; whoever calls them holds the service's lock."""

    def __init__(self, arn: str, tags: Tags) -> None:
        self._arn = arn
        self._tags = tags
        self._groups: dict[str, dict[str, Any]] = {}

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer CreateCacheParameterGroup."""
        name = params["CacheParameterGroupName"]
        if name in self._groups:
            raise ServiceError("CacheParameterGroupAlreadyExists", f"{name} exists")
        self._groups[name] = {**params, "values": {}}
        self._tags.put(f"{self._arn}:parametergroup:{name}", params)
        return {"CacheParameterGroup": views.parameter_group(self._groups[name], self._arn)}

    def modify(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer ModifyCacheParameterGroup."""
        group = self._group(params)
        for item in params["ParameterNameValues"]:
            group["values"][item["ParameterName"]] = item["ParameterValue"]
        return {"CacheParameterGroupName": params["CacheParameterGroupName"]}

    def reset(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer ResetCacheParameterGroup."""
        group = self._group(params)
        for item in params["ParameterNameValues"]:
            group["values"].pop(item["ParameterName"], None)
        return {"CacheParameterGroupName": params["CacheParameterGroupName"]}

    def delete(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer DeleteCacheParameterGroup."""
        del self._groups[self._group(params)["CacheParameterGroupName"]]
        return {}

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeCacheParameterGroups."""
        wanted = params.get("CacheParameterGroupName")
        found = some(self._groups, wanted, "CacheParameterGroupNotFound")
        groups = [views.parameter_group(group, self._arn) for group in found]
        return {"CacheParameterGroups": groups}

    def describe_values(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeCacheParameters."""
        values = self._group(params)["values"].items()
        return {"Parameters": [{"ParameterName": n, "ParameterValue": v} for n, v in values]}

    def _group(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["CacheParameterGroupName"]
        return named(self._groups, name, "CacheParameterGroupNotFound")

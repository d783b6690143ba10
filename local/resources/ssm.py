"""AWS::SSM::Parameter."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import dropped_tags, tag_list, without
from local.resources.kind import Kind, Properties, changed


class Parameter(Kind):
    """A String or StringList parameter; CloudFormation makes no SecureString either."""

    type_name = "AWS::SSM::Parameter"
    properties = frozenset(
        {"Name", "Type", "Value", "Description", "AllowedPattern", "Tier", "DataType", "Tags"}
    )
    replace_on = frozenset({"Name", "Type"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("Name") or context.unique_name())
        self._put(context, name, properties, overwrite=False)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        ssm = context.clients.client("ssm")
        if old and any(changed(name, old, new) for name in self.properties - {"Tags"}):
            self._put(context, physical_id, new, overwrite=True)
        resource = {"ResourceType": "Parameter", "ResourceId": physical_id}
        if dropped := dropped_tags(old, new):
            ssm.remove_tags_from_resource(**resource, TagKeys=dropped)
        if tags := tag_list(new):
            ssm.add_tags_to_resource(**resource, Tags=tags)

    @staticmethod
    def _put(context: Context, name: str, properties: Properties, *, overwrite: bool) -> None:
        values = {key: str(value) for key, value in without(properties, "Tags", "Name").items()}
        context.clients.client("ssm").put_parameter(Name=name, Overwrite=overwrite, **values)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("ssm").delete_parameter(Name=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Type": properties["Type"], "Value": str(properties["Value"])}


HANDLERS = (Parameter(),)

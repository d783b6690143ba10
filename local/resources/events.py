"""AWS::Events::Rule."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import call, dropped_tags, missing_is_fine, refuse_existing, tag_list
from local.resources.kind import Kind, Properties

_RULE = ("ScheduleExpression", "EventPattern", "State", "Description", "RoleArn", "EventBusName")


class Rule(Kind):
    """A rule with its targets; the control loop fires the scheduled ones."""

    type_name = "AWS::Events::Rule"
    properties = frozenset({"Name", "Targets", "Tags", *_RULE})
    replace_on = frozenset({"Name", "EventBusName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("Name") or context.unique_name())
        bus = {key: properties[key] for key in ("EventBusName",) if key in properties}
        events = context.clients.client("events")
        refuse_existing(self.type_name, name, lambda: events.describe_rule(Name=name, **bus))
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        events = context.clients.client("events")
        rule = {name: new[name] for name in _RULE if name in new}
        arn = call(events, "PutRule", {"Name": physical_id, **rule})["RuleArn"]
        kept = [target["Id"] for target in new.get("Targets", [])]
        gone = [t["Id"] for t in old.get("Targets", []) if t["Id"] not in kept]
        if gone:
            events.remove_targets(Rule=physical_id, Ids=gone)
        if new.get("Targets"):
            call(events, "PutTargets", {"Rule": physical_id, "Targets": new["Targets"]})
        if dropped := dropped_tags(old, new):
            events.untag_resource(ResourceARN=arn, TagKeys=dropped)
        if tags := tag_list(new):
            events.tag_resource(ResourceARN=arn, Tags=tags)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        events = context.clients.client("events")
        targets = [target["Id"] for target in properties.get("Targets", [])]
        if targets:
            with missing_is_fine():
                events.remove_targets(Rule=physical_id, Ids=targets)
        events.delete_rule(Name=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        rule = context.clients.client("events").describe_rule(Name=physical_id)
        return {"Arn": rule["Arn"]}


HANDLERS = (Rule(),)

"""AWS::Logs::LogGroup."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import dropped_tags, tag_map
from local.resources.kind import Kind, Properties, changed


class LogGroup(Kind):
    """A log group with its retention."""

    type_name = "AWS::Logs::LogGroup"
    properties = frozenset({"LogGroupName", "RetentionInDays", "KmsKeyId", "Tags"})
    replace_on = frozenset({"LogGroupName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("LogGroupName") or context.unique_name())
        context.clients.client("logs").create_log_group(logGroupName=name)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        logs = context.clients.client("logs")
        if changed("RetentionInDays", old, new):
            if "RetentionInDays" in new:
                days = int(new["RetentionInDays"])
                logs.put_retention_policy(logGroupName=physical_id, retentionInDays=days)
            else:
                logs.delete_retention_policy(logGroupName=physical_id)
        if changed("KmsKeyId", old, new):
            if "KmsKeyId" in new:
                logs.associate_kms_key(logGroupName=physical_id, kmsKeyId=new["KmsKeyId"])
            else:
                logs.disassociate_kms_key(logGroupName=physical_id)
        arn = _arn(context, physical_id)
        if dropped := dropped_tags(old, new):
            logs.untag_resource(resourceArn=arn, tagKeys=dropped)
        if tags := tag_map(new):
            logs.tag_resource(resourceArn=arn, tags=tags)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("logs").delete_log_group(logGroupName=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Arn": f"{_arn(context, physical_id)}:*"}


def _arn(context: Context, name: str) -> str:
    return f"arn:aws:logs:{context.region}:{context.account}:log-group:{name}"


HANDLERS = (LogGroup(),)

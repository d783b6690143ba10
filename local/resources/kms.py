"""AWS::KMS: keys and aliases."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import dropped_tags, tag_map, text, truth
from local.resources.kind import Kind, Properties, changed

_PENDING_DAYS = 30


class Key(Kind):
    """A symmetric key. Deleting it schedules the deletion, as AWS does."""

    type_name = "AWS::KMS::Key"
    properties = frozenset(
        {"Description", "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays", "Tags"}
    )

    def make(self, context: Context, properties: Properties) -> str:
        return str(context.clients.client("kms").create_key()["KeyMetadata"]["KeyId"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        kms = context.clients.client("kms")
        if changed("Description", old, new):
            description = new.get("Description", "")
            kms.update_key_description(KeyId=physical_id, Description=description)
        if changed("KeyPolicy", old, new) and "KeyPolicy" in new:
            policy = text(new["KeyPolicy"])
            kms.put_key_policy(KeyId=physical_id, PolicyName="default", Policy=policy)
        if changed("EnableKeyRotation", old, new):
            if truth(new.get("EnableKeyRotation", False)):
                kms.enable_key_rotation(KeyId=physical_id)
            else:
                kms.disable_key_rotation(KeyId=physical_id)
        if dropped := dropped_tags(old, new):
            kms.untag_resource(KeyId=physical_id, TagKeys=dropped)
        if tags := tag_map(new):
            tag_list = [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
            kms.tag_resource(KeyId=physical_id, Tags=tag_list)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        kms = context.clients.client("kms")
        state = kms.describe_key(KeyId=physical_id)["KeyMetadata"]["KeyState"]
        if state != "PendingDeletion":
            days = int(properties.get("PendingWindowInDays", _PENDING_DAYS))
            kms.schedule_key_deletion(KeyId=physical_id, PendingWindowInDays=days)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        metadata = context.clients.client("kms").describe_key(KeyId=physical_id)["KeyMetadata"]
        return {"Arn": metadata["Arn"], "KeyId": physical_id}


class Alias(Kind):
    """A name of a key."""

    type_name = "AWS::KMS::Alias"
    properties = frozenset({"AliasName", "TargetKeyId"})
    replace_on = frozenset({"AliasName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(properties["AliasName"])
        key = properties["TargetKeyId"]
        context.clients.client("kms").create_alias(AliasName=name, TargetKeyId=key)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if old and changed("TargetKeyId", old, new):
            context.clients.client("kms").update_alias(
                AliasName=physical_id, TargetKeyId=new["TargetKeyId"]
            )

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("kms").delete_alias(AliasName=physical_id)


HANDLERS = (Key(), Alias())

"""AWS::SecretsManager: secrets, and their attachment to a database."""

from __future__ import annotations

import json
from typing import Any

from local.resources.base import Context
from local.resources.calls import (
    InvalidPropertyError,
    call,
    dropped_tags,
    renamed,
    tag_list,
    text,
    without,
)
from local.resources.kind import Kind, Properties, changed


class Secret(Kind):
    """A secret, given or generated once: no update ever generates another value."""

    type_name = "AWS::SecretsManager::Secret"
    properties = frozenset(
        {"Name", "Description", "GenerateSecretString", "SecretString", "KmsKeyId", "Tags"}
    )
    replace_on = frozenset({"Name"})

    def make(self, context: Context, properties: Properties) -> str:
        secrets = context.clients.client("secretsmanager")
        given = {key: properties[key] for key in ("Description", "KmsKeyId") if key in properties}
        answer = secrets.create_secret(
            Name=properties.get("Name") or context.unique_name(),
            SecretString=_initial_value(secrets, properties),
            **given,
        )
        return str(answer["ARN"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        secrets = context.clients.client("secretsmanager")
        if old and (changed("Description", old, new) or changed("KmsKeyId", old, new)):
            given = {"Description": new.get("Description", "")}
            if "KmsKeyId" in new:
                given["KmsKeyId"] = new["KmsKeyId"]
            secrets.update_secret(SecretId=physical_id, **given)
        if old and "SecretString" in new and changed("SecretString", old, new):
            secrets.put_secret_value(SecretId=physical_id, SecretString=new["SecretString"])
        if dropped := dropped_tags(old, new):
            secrets.untag_resource(SecretId=physical_id, TagKeys=dropped)
        if tags := tag_list(new):
            secrets.tag_resource(SecretId=physical_id, Tags=tags)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("secretsmanager").delete_secret(
            SecretId=physical_id, ForceDeleteWithoutRecovery=True
        )

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Id": physical_id}


def _initial_value(secrets: Any, properties: Properties) -> str:
    if "SecretString" in properties:
        return text(properties["SecretString"])
    if "GenerateSecretString" not in properties:
        return ""
    rules = properties["GenerateSecretString"]
    template = rules.get("SecretStringTemplate")
    key = rules.get("GenerateStringKey")
    if (template is None) != (key is None):
        raise InvalidPropertyError(
            "GenerateSecretString: SecretStringTemplate and GenerateStringKey come together"
        )
    alphabet = without(rules, "SecretStringTemplate", "GenerateStringKey")
    generated = str(call(secrets, "GetRandomPassword", alphabet)["RandomPassword"])
    if key is None:
        return generated
    return json.dumps({**json.loads(template), key: generated})


class SecretTargetAttachment(Kind):
    """Writes a database's address into its secret, beside the credentials."""

    type_name = "AWS::SecretsManager::SecretTargetAttachment"
    properties = frozenset({"SecretId", "TargetId", "TargetType"})
    replace_on = frozenset({"SecretId"})

    def make(self, context: Context, properties: Properties) -> str:
        return str(properties["SecretId"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if new["TargetType"] != "AWS::RDS::DBInstance":
            raise InvalidPropertyError(
                f"TargetType {new['TargetType']!r} is unknown; allowed: AWS::RDS::DBInstance"
            )
        found = context.clients.client("rds").describe_db_instances(
            DBInstanceIdentifier=new["TargetId"]
        )
        database = found["DBInstances"][0]
        address = {
            "engine": database["Engine"],
            "host": database["Endpoint"]["Address"],
            "port": database["Endpoint"]["Port"],
            "dbname": database.get("DBName"),
            "dbInstanceIdentifier": new["TargetId"],
        }
        self._write(context, physical_id, {k: v for k, v in address.items() if v is not None})

    @staticmethod
    def _write(context: Context, secret: str, fields: dict[str, Any]) -> None:
        secrets = context.clients.client("secretsmanager")
        value = json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])
        secrets.put_secret_value(SecretId=secret, SecretString=json.dumps({**value, **fields}))

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        """Nothing to remove: AWS leaves the address in the secret as well."""


class RotationSchedule(Kind):
    """When a secret is rotated, and by which function."""

    type_name = "AWS::SecretsManager::RotationSchedule"
    properties = frozenset(
        {"RotateImmediatelyOnUpdate", "RotationLambdaARN", "RotationRules", "SecretId"}
    )
    replace_on = frozenset({"SecretId"})

    def make(self, context: Context, properties: Properties) -> str:
        return str(properties["SecretId"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        values = renamed(new, {"RotateImmediatelyOnUpdate": "RotateImmediately"})
        call(context.clients.client("secretsmanager"), "RotateSecret", values)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("secretsmanager").cancel_rotate_secret(SecretId=physical_id)


HANDLERS = (Secret(), SecretTargetAttachment(), RotationSchedule())

"""SSM parameters, secrets."""

from __future__ import annotations

import json
import string
from typing import Any

from tests.local.properties.reader import Properties, Reader, chosen, present


def _parameter(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    ssm = aws.client("ssm")
    value = ssm.get_parameter(Name=name)["Parameter"]
    filters = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    metadata = ssm.describe_parameters(ParameterFilters=filters)["Parameters"][0]
    return present(
        Name=value["Name"],
        Type=value["Type"],
        Value=value["Value"],
        Description=metadata.get("Description"),
        AllowedPattern=metadata.get("AllowedPattern"),
        Tier=metadata.get("Tier"),
    )


def _secret(aws: Any, arn: str, template: Properties) -> dict[str, Any]:
    secrets = aws.client("secretsmanager")
    metadata = secrets.describe_secret(SecretId=arn)
    value = secrets.get_secret_value(SecretId=arn)["SecretString"]
    shown = present(Name=metadata["Name"], Description=metadata.get("Description"))
    shown["Tags"] = metadata.get("Tags", [])
    if "GenerateSecretString" in template:
        shown["GenerateSecretString"] = _rules_that_hold(value, template["GenerateSecretString"])
    return shown


def _rules_that_hold(value: str, rules: Properties) -> dict[str, Any]:
    """Return the generation rules that the value obeys: AWS stores none of them."""
    held: dict[str, Any] = {}
    if "GenerateStringKey" in rules:
        fields = json.loads(value)
        template = json.loads(rules["SecretStringTemplate"])
        if fields.items() >= template.items():
            held["SecretStringTemplate"] = rules["SecretStringTemplate"]
        value = fields[rules["GenerateStringKey"]]
        held["GenerateStringKey"] = rules["GenerateStringKey"]
    held["PasswordLength"] = len(value)
    excluded = rules.get("ExcludeCharacters", "")
    if not set(value) & set(excluded):
        held["ExcludeCharacters"] = excluded
    held["ExcludePunctuation"] = not set(value) & set(string.punctuation)
    return held


def _attachment(aws: Any, arn: str, template: Properties) -> dict[str, Any]:
    secret = aws.client("secretsmanager").get_secret_value(SecretId=arn)
    address = json.loads(secret["SecretString"])
    identifier = address["dbInstanceIdentifier"]
    found = aws.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)
    endpoint = found["DBInstances"][0]["Endpoint"]
    assert (address["host"], address["port"]) == (endpoint["Address"], endpoint["Port"])
    return {"SecretId": secret["ARN"], "TargetId": identifier, "TargetType": "AWS::RDS::DBInstance"}


def _rotation(aws: Any, arn: str, template: Properties) -> dict[str, Any]:
    found = aws.client("secretsmanager").describe_secret(SecretId=arn)
    assert found["RotationEnabled"]
    return {"SecretId": found["ARN"], **chosen(found, "RotationLambdaARN", "RotationRules")}


READERS = (
    Reader(
        "AWS::SecretsManager::RotationSchedule",
        _rotation,
        unreadable={"RotateImmediatelyOnUpdate": "an argument of RotateSecret, kept nowhere"},
    ),
    Reader("AWS::SSM::Parameter", _parameter),
    Reader("AWS::SecretsManager::Secret", _secret),
    Reader("AWS::SecretsManager::SecretTargetAttachment", _attachment),
)

"""A role's environment in SSM: one typed parameter a key, secrets as references."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from config.contracts.parameters import secret_reference
from stacks.constructs.acknowledge import acknowledge, grant_pattern
from stacks.constructs.platform_stack import Place
from stacks.constructs.stateful import declare_stateful

#: Why a generated secret has no rotation.
CHANGED_BY_HAND = (
    "Those who show it and those who check it read it when they start or are deployed, so both "
    "must be changed in turn: the runbook's chapter on another secret"
)


@dataclass(frozen=True)
class SecretValue:
    """A value that stays in Secrets Manager; `json_key` picks one key of a JSON secret."""

    secret: secretsmanager.ISecret
    json_key: str | None = None


Values = Mapping[str, str | SecretValue]


class EnvironmentParameters(Construct):
    """Parameters `<path>/<KEY>`. A secret's parameter holds its reference, never its value."""

    def __init__(self, scope: Construct, identifier: str, *, path: str, values: Values) -> None:
        super().__init__(scope, identifier)
        self.path = path
        self.values = dict(values)
        self.parameters = {
            key: ssm.StringParameter(
                self, _identifier(key), parameter_name=f"{path}/{key}", string_value=_stored(value)
            )
            for key, value in values.items()
        }

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Grant reading the path (all of it, whoever wrote a key there) and the secrets named.

        A raw statement, since CDK's own grant reads single parameters, not a path.
        """
        arns = [
            cdk.Stack.of(self).format_arn(service="ssm", resource="parameter", resource_name=name)
            for name in (self.path.lstrip("/"), f"{self.path.lstrip('/')}/*")
        ]
        grant_pattern(
            grantee,
            actions=["ssm:GetParametersByPath"],
            arns=arns,
            reason="It reads its own path, whoever wrote a key there, and no other",
        )
        self._grant_secrets(grantee)

    def grant_single(self, grantee: iam.IGrantable) -> None:
        """Grant reading each parameter by its name, and the secrets: what ECS does for a task."""
        arns = [parameter.parameter_arn for parameter in self.parameters.values()]
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["ssm:GetParameters"], resource_arns=arns
        )
        self._grant_secrets(grantee)

    def secret(self, key: str) -> secretsmanager.ISecret:
        """Return the secret behind a key. Raises: KeyError or TypeError when it has none."""
        value = self.values[key]
        if not isinstance(value, SecretValue):
            raise TypeError(f"{self.path}/{key} is no secret")
        return value.secret

    def _grant_secrets(self, grantee: iam.IGrantable) -> None:
        grant_secret_value(grantee, *self._secrets())

    def _secrets(self) -> list[secretsmanager.ISecret]:
        """Return each referenced secret once."""
        found = [value.secret for value in self.values.values() if isinstance(value, SecretValue)]
        return list({secret.node.path: secret for secret in found}.values())


def generated_secret(
    scope: Construct,
    identifier: str,
    *,
    description: str,
    place: Place,
    name: str | None = None,
    copied_to: Sequence[str] = (),
    beside: Mapping[str, str] | None = None,
) -> secretsmanager.Secret:
    """Return a secret of 50 random letters and digits that nobody types or sees.

    `copied_to` are regions in which it exists as well, under its name, with the same value. With
    `beside` it is JSON of these keys and values, and the random ones below `generated`.
    """
    secret = secretsmanager.Secret(
        scope,
        identifier,
        description=description,
        secret_name=name,
        replica_regions=[secretsmanager.ReplicaRegion(region=region) for region in copied_to],
        generate_secret_string=secretsmanager.SecretStringGenerator(
            password_length=50,
            exclude_punctuation=True,
            secret_string_template=json.dumps(beside) if beside else None,
            generate_string_key="generated" if beside else None,
        ),
    )
    declare_stateful(secret, place=place, holds="a generated secret")
    acknowledge(secret, "SMG4", CHANGED_BY_HAND)
    return secret


def grant_secret_value(grantee: iam.IGrantable, *secrets: secretsmanager.ISecret) -> None:
    """Grant reading secrets. Raw: CDK's own grant describes them as well, which nobody does."""
    iam.Grant.add_to_principal(
        grantee=grantee,
        actions=["secretsmanager:GetSecretValue"],
        resource_arns=[_exactly(secret) for secret in secrets],
    )


def _exactly(secret: secretsmanager.ISecret) -> str:
    """Return a secret's ARN; that of one known by name ends in six characters of AWS's own."""
    return secret.secret_full_arn or f"{secret.secret_arn}-??????"


def _stored(value: str | SecretValue) -> str:
    if isinstance(value, SecretValue):
        return secret_reference(value.secret.secret_arn, value.json_key)
    return value


def _identifier(key: str) -> str:
    """Return a construct id of a variable's name: `DB_HOST` is `DbHost`."""
    return key.title().replace("_", "")

"""A role's environment in SSM: one typed parameter a key, secrets as references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from config.contracts.parameters import secret_reference
from stacks.constructs.platform_stack import Place, removal_policy


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
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["ssm:GetParametersByPath"], resource_arns=arns
        )
        for secret in self._secrets():
            secret.grant_read(grantee)

    def secret(self, key: str) -> secretsmanager.ISecret:
        """Return the secret behind a key. Raises: KeyError or TypeError when it has none."""
        value = self.values[key]
        if not isinstance(value, SecretValue):
            raise TypeError(f"{self.path}/{key} is no secret")
        return value.secret

    def _secrets(self) -> list[secretsmanager.ISecret]:
        """Return each referenced secret once."""
        found = [value.secret for value in self.values.values() if isinstance(value, SecretValue)]
        return list({secret.node.path: secret for secret in found}.values())


def generated_secret(
    scope: Construct, identifier: str, *, description: str, place: Place
) -> secretsmanager.Secret:
    """Return a secret of 50 random letters and digits that nobody types or sees."""
    return secretsmanager.Secret(
        scope,
        identifier,
        description=description,
        removal_policy=removal_policy(place),
        generate_secret_string=secretsmanager.SecretStringGenerator(
            password_length=50, exclude_punctuation=True
        ),
    )


def _stored(value: str | SecretValue) -> str:
    if isinstance(value, SecretValue):
        return secret_reference(value.secret.secret_arn, value.json_key)
    return value


def _identifier(key: str) -> str:
    """Return a construct id of a variable's name: `DB_HOST` is `DbHost`."""
    return key.title().replace("_", "")

"""The API's address and an operator's credentials, from SSM and Secrets Manager."""

from __future__ import annotations

from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from config.contracts.parameters import environment_path, parse_secret_reference
from config.settings import Settings
from ops import aws
from ops.errors import OperatorError


@dataclass(frozen=True)
class Access:
    """`base_url` without a closing slash; the keys appear in no representation."""

    base_url: str
    operator_token: str = field(repr=False)
    internal_key: str = field(repr=False)


def load_access(settings: Settings) -> Access:
    """Return how to reach an environment's API. Raises: OperatorError when it is not deployed."""
    return Access(
        base_url=_value(settings, "workers", "API_BASE_URL").rstrip("/"),
        operator_token=_value(settings, "api", "OPERATOR_API_TOKEN"),
        internal_key=_value(settings, "api", "LAMBDA_INTERNAL_API_KEY"),
    )


def _value(settings: Settings, role: str, key: str) -> str:
    """Return a parameter's value, or that of the secret which it names."""
    name = f"{environment_path(settings.environment, role)}/{key}"
    region = settings.aws.region
    try:
        value = str(aws.client("ssm", region).get_parameter(Name=name)["Parameter"]["Value"])
        reference = parse_secret_reference(value)
        if reference is None:
            return value
        answer = aws.client("secretsmanager", region).get_secret_value(SecretId=reference[0])
        return str(answer["SecretString"])
    except (BotoCoreError, ClientError) as error:
        raise OperatorError(
            f"{name} cannot be read: {error}",
            hint=f"is '{settings.environment}' deployed, and do AWS_* name its account?",
        ) from error

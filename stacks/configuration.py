"""Parameters and secrets: the environment of the API and of the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from config.contracts.parameters import environment_path
from config.contracts.queues import BY_KEY
from config.settings import Settings
from stacks.constructs.parameters import EnvironmentParameters, SecretValue, generated_secret
from stacks.constructs.platform_stack import Place, PlatformStack

if TYPE_CHECKING:
    from stacks.data import DataStack
    from stacks.storage import StorageStack

#: Read by the Django application of the API's image.
DJANGO_SETTINGS_MODULE = "worker_images.api.settings"


class ConfigurationStack(PlatformStack):
    """Generated secrets, and one parameter a key below each role's path.

    Secrets are kept where data is kept. `API_BASE_URL` of the workers is the API stack's to write:
    it alone knows the address.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        place: Place,
        settings: Settings,
        data: DataStack,
        storage: StorageStack,
    ) -> None:
        super().__init__(scope, "configuration", place, stateful=True)
        shared = {
            **_database(data),
            **_redis(data),
            **storage.variables,
            **{queue.variable: queue.physical(place.environment) for queue in BY_KEY.values()},
            "AWS_DEFAULT_REGION": settings.aws.region,
            "INTERNAL_WORKER_TOKEN": self._secret(
                "InternalWorkerToken", "Workers show this token to the API"
            ),
        }
        self.workers = self._parameters("workers", shared)
        self.api = self._parameters("api", {**shared, **self._api(settings)})

    def _parameters(self, role: str, values: dict[str, str | SecretValue]) -> EnvironmentParameters:
        path = environment_path(self.place.environment, role)
        return EnvironmentParameters(self, role.title(), path=path, values=values)

    def _secret(self, identifier: str, description: str) -> SecretValue:
        return SecretValue(
            generated_secret(self, identifier, description=description, place=self.place)
        )

    def _api(self, settings: Settings) -> dict[str, str | SecretValue]:
        names = [settings.api.domain_name] if settings.api.domain_name else []
        return {
            "DJANGO_SETTINGS_MODULE": DJANGO_SETTINGS_MODULE,
            "SECRET_KEY": self._secret("DjangoSecretKey", "Signs sessions and playback links"),
            "ALLOWED_HOSTS": ",".join([*names, *settings.api.allowed_hosts]),
            "CORS_ORIGINS": ",".join(settings.storage.browser_origins),
            "LAMBDA_INTERNAL_API_KEY": self._secret(
                "LambdaInternalApiKey", "The metric function shows this key to the API"
            ),
            "OPERATOR_API_TOKEN": self._secret("OperatorApiToken", "Staff tools show this token"),
            "VIDEO_ATTEMPTS": str(settings.queues["video"].attempts),
        }


def _database(data: DataStack) -> dict[str, str | SecretValue]:
    credentials = data.database.credentials
    assert credentials is not None  # noqa: S101 - a database always has credentials
    return {
        "DB_HOST": data.database.host,
        "DB_PORT": data.database.port,
        "DB_NAME": data.database_name,
        "DB_USER": SecretValue(credentials, "username"),
        "DB_PASSWORD": SecretValue(credentials, "password"),
    }


def _redis(data: DataStack) -> dict[str, str | SecretValue]:
    found: dict[str, str | SecretValue] = {
        "REDIS_HOST": data.redis.host,
        "REDIS_PORT": data.redis.port,
    }
    if data.redis.credentials:
        found["REDIS_PASSWORD"] = SecretValue(data.redis.credentials, "password")
    return found

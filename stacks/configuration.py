"""Parameters and secrets: the environment of the API and of the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config.contracts.edges import EDGE_REGION, KEY_PAIR_OUTPUT, edge_stack_name
from config.contracts.environment import MESSAGING_CREDENTIALS, PROXY_HOPS
from config.contracts.parameters import environment_path, kind_path
from config.contracts.queues import BY_KEY
from config.model_edge import Playback
from config.model_workers import Messaging
from config.settings import Settings
from stacks.constructs.parameters import EnvironmentParameters, SecretValue, generated_secret
from stacks.constructs.platform_stack import Place, PlatformStack

if TYPE_CHECKING:
    from stacks.data import DataStack
    from stacks.edge import EdgeStack
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
        edge: EdgeStack | None,
    ) -> None:
        super().__init__(scope, "configuration", place, stateful=True)
        if edge:
            # This stack reads the edge's key id, and the API's the edge's secret.
            self.add_stack_dependency(edge)
        shared = {
            **data.variables,
            **storage.variables,
            **{queue.variable: queue.physical(place.environment) for queue in BY_KEY.values()},
            "AWS_DEFAULT_REGION": settings.aws.region,
            "INTERNAL_WORKER_TOKEN": self._secret(
                "InternalWorkerToken", "Workers show this token to the API"
            ),
        }
        self.workers = self._parameters("workers", shared)
        self.api = self._parameters(
            "api",
            {**shared, **data.api_variables, **storage.api_variables, **self._api(settings)},
        )
        #: By worker kind, what it alone is told.
        self.kinds: dict[str, EnvironmentParameters] = {}
        if "messaging" in settings.workers:
            self.kinds["messaging"] = EnvironmentParameters(
                self,
                "Messaging",
                path=kind_path(place.environment, "messaging"),
                values=self._messaging(settings.messaging),
            )

    def _parameters(self, role: str, values: dict[str, str | SecretValue]) -> EnvironmentParameters:
        path = environment_path(self.place.environment, role)
        return EnvironmentParameters(self, role.title(), path=path, values=values)

    def _messaging(self, messaging: Messaging) -> dict[str, SecretValue]:
        """The provider's credentials; where none are named, made-up ones that nobody takes."""
        keys = MESSAGING_CREDENTIALS[messaging.provider]
        secret = (
            secretsmanager.Secret.from_secret_name_v2(
                self, "MessagingCredentials", messaging.credentials_secret_name
            )
            if messaging.credentials_secret_name
            else generated_secret(
                self,
                "MessagingCredentials",
                description="Stands for a provider of texts' credentials",
                place=self.place,
                beside={key: "local" for key in keys.values()},
            )
        )
        return {variable: SecretValue(secret, key) for variable, key in keys.items()}

    def _secret(self, identifier: str, description: str) -> SecretValue:
        return SecretValue(
            generated_secret(self, identifier, description=description, place=self.place)
        )

    def _api(self, settings: Settings) -> dict[str, str | SecretValue]:
        names = [settings.api_host] if settings.api_host else []
        return {
            **self._playback(settings.edge.playback),
            "DJANGO_SETTINGS_MODULE": DJANGO_SETTINGS_MODULE,
            "SECRET_KEY": self._secret("DjangoSecretKey", "Signs sessions and playback links"),
            "ALLOWED_HOSTS": ",".join([*names, *settings.api.allowed_hosts]),
            "CORS_ORIGINS": ",".join(settings.storage.browser_origins),
            "LAMBDA_INTERNAL_API_KEY": self._secret(
                "LambdaInternalApiKey", "The metric function shows this key to the API"
            ),
            "OPERATOR_API_TOKEN": self._secret("OperatorApiToken", "Staff tools show this token"),
            "VIDEO_ATTEMPTS": str(settings.queues["video"].attempts),
            "RATE_LIMIT_PER_MINUTE": str(settings.edge.requests_per_minute),
            **_proxy_hops(settings),
        }

    def _playback(self, playback: Playback | None) -> dict[str, str | SecretValue]:
        """What the API signs cookies with; the key's id is known to the edge alone."""
        if playback is None:
            return {}
        name = edge_stack_name(self.place.environment)
        return {
            "PLAYBACK_KEY_PAIR_ID": cdk.Fn.get_stack_output(name, KEY_PAIR_OUTPUT, EDGE_REGION),
            "PLAYBACK_PRIVATE_KEY": SecretValue(
                secretsmanager.Secret.from_secret_name_v2(
                    self, "PlaybackKey", playback.private_key_secret_name
                )
            ),
        }


def _proxy_hops(settings: Settings) -> dict[str, str]:
    """An edge adds the viewer's address to X-Forwarded-For, and the load balancer the edge's."""
    return {} if settings.edge.provider == "none" else {PROXY_HOPS: "2"}

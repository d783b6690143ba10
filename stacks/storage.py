"""The four buckets."""

from __future__ import annotations

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config.contracts.environment import ORIGINAL_DAYS
from config.contracts.storage_keys import HLS_PATTERN, R2_SECRET_KEYS
from config.model_edge import Edge
from config.model_storage import Storage
from stacks.constructs.buckets import BucketRules, ObjectStorage, S3Storage
from stacks.constructs.parameters import SecretValue
from stacks.constructs.platform_stack import Place, PlatformStack
from stacks.constructs.r2_storage import R2Storage


class StorageStack(PlatformStack):
    """Buckets on S3, or lifecycle and CORS of the buckets on R2. Stateful."""

    def __init__(self, scope: Construct, *, place: Place, storage: Storage, edge: Edge) -> None:
        super().__init__(scope, "storage", place, stateful=True)
        names = storage.buckets.model_dump()
        rules = BucketRules(
            browser_origins=storage.browser_origins,
            original_days=storage.original_days,
            export_days=storage.export_days,
        )
        self.objects: ObjectStorage
        self.variables: dict[str, str | SecretValue] = {
            "STORAGE_PROVIDER": storage.provider,
            **{f"R2_{role.upper()}_BUCKET": name for role, name in names.items()},
        }
        #: What the API alone is told: where no lifecycle rule can, it deletes finished originals.
        self.api_variables: dict[str, str | SecretValue] = {}
        if storage.r2 is None or storage.provider == "s3":
            buckets = S3Storage(self, "Buckets", names=names, rules=rules, place=place)
            if edge.playback:
                buckets.grant_distributions_read("video", HLS_PATTERN)
            self.objects = buckets
            return
        credentials = secretsmanager.Secret.from_secret_name_v2(
            self, "Credentials", storage.r2.credentials_secret_name
        )
        self.objects = R2Storage(
            self,
            "Buckets",
            names=names,
            rules=rules,
            endpoint=storage.r2.endpoint,
            credentials=credentials,
            place=place,
        )
        self.variables |= {
            "R2_ENDPOINT": storage.r2.endpoint,
            "R2_ACCESS_KEY": SecretValue(credentials, R2_SECRET_KEYS[0]),
            "R2_SECRET_KEY": SecretValue(credentials, R2_SECRET_KEYS[1]),
        }
        self.api_variables[ORIGINAL_DAYS] = str(storage.original_days)

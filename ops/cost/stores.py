"""What keeps data: database, Redis, backups, images; and keys and secrets."""

from __future__ import annotations

from collections.abc import Iterator

from ops.cost.estate import Month, Resource
from ops.cost.model import Need

#: The lifecycle of every repository keeps so many images.
IMAGES_KEPT = 10


def database(resource: Resource, month: Month) -> Iterator[Need]:
    """An RDS instance: hours and storage, both doubled by Multi-AZ; a replica has no size given.

    Automated backups up to the size of the storage are free, which they stay below.
    """
    properties = resource.properties
    is_replica = "SourceDBInstanceIdentifier" in properties
    part = "read replicas" if is_replica else "database"
    zones = "multi" if properties.get("MultiAZ") else "single"
    kind = str(properties["DBInstanceClass"]).removeprefix("db.")
    yield Need(part, f"rds.{zones}.{kind}", month.hours, resource.name)
    storage_gb = properties.get("AllocatedStorage") or _source_storage_gb(resource, month)
    yield Need(part, f"rds.storage.{zones}", float(storage_gb), resource.name)


def _source_storage_gb(replica: Resource, month: Month) -> str:
    source = month.estate.named(replica, replica.properties["SourceDBInstanceIdentifier"])
    return str(source[0].properties["AllocatedStorage"])


def redis(resource: Resource, month: Month) -> Iterator[Need]:
    """An ElastiCache replication group: hours of every node."""
    properties = resource.properties
    kind = str(properties["CacheNodeType"]).removeprefix("cache.")
    shards = int(properties.get("NumNodeGroups", 1))
    replicas = int(properties.get("ReplicasPerNodeGroup", 0))
    nodes = int(properties.get("NumCacheClusters", shards * (1 + replicas)))
    yield Need("Redis", f"{properties['Engine']}.{kind}", nodes * month.hours, resource.name)


def backup_plan(resource: Resource, month: Month) -> Iterator[Need]:
    """A backup plan: each rule, and each of its copies, keeps a whole and the days' changes."""
    usage = month.usage
    for each in resource.properties["BackupPlan"]["BackupPlanRule"]:
        stays = [each, *each.get("CopyActions", [])]
        for place in stays:
            days = float(place.get("Lifecycle", {}).get("DeleteAfterDays", month.days))
            changed = days * usage.database_change_percent / 100
            yield Need("backup", "rds.backup", usage.database_gb * (1 + changed), resource.name)


def repository(resource: Resource, month: Month) -> Iterator[Need]:
    """An image repository, full: as many images as its lifecycle keeps."""
    yield Need("images", "ecr.gb", IMAGES_KEPT * month.usage.image_gb, resource.name)


def secret(resource: Resource, month: Month) -> Iterator[Need]:
    """A secret."""
    yield Need("secrets", "secret", 1, resource.name)


def key(resource: Resource, month: Month) -> Iterator[Need]:
    """A KMS key of our own."""
    yield Need("secrets", "kms.key", 1, resource.name)

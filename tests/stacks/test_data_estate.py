"""The database, Redis and their backups, by the settings of each size and environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.contracts.statefulness import STATEFUL
from config.settings import Settings, load_settings
from stacks.constructs.password_rotation import INSTANCE_ACTIONS, SECRET_ACTIONS
from tests.conftest import Templates, synthesize
from tests.templates import actions_on, only, properties, resources, text

INSTANCE = "AWS::RDS::DBInstance"
GROUP = "AWS::ElastiCache::ReplicationGroup"
VAULT = "AWS::Backup::BackupVault"
SCHEDULE = "AWS::SecretsManager::RotationSchedule"
Changed = Callable[..., Any]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """Return a function from changes of dev's settings to the data stack's template."""

    def of(**changes: Any) -> Any:
        settings = _merged(load_settings("dev").model_dump(), changes)
        return synthesize(Settings.model_validate(settings), tmp_path)["data"]

    return of


def _merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    found = dict(values)
    for key, value in changes.items():
        nested = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = _merged(found[key], value) if nested else value
    return found


def test_slow_statements_are_logged_connections_capped_and_plain_text_refused(
    templates: Templates, environment: str
) -> None:
    settings = load_settings(environment).database
    group = only(templates["data"], "AWS::RDS::DBParameterGroup")
    assert group["Family"] == "postgres16"
    assert group["Parameters"] == {
        "log_min_duration_statement": str(settings.rds.slow_query_ms),
        "max_connections": str(settings.rds.max_connections),
        "rds.force_ssl": "1" if settings.tls else "0",
    }
    assert "DBParameterGroupName" in only(templates["data"], INSTANCE)


def test_its_logs_stand_with_their_retention_before_it_writes(
    templates: Templates, environment: str
) -> None:
    settings = load_settings(environment)
    [database] = resources(templates["data"], INSTANCE).values()
    name = database["Properties"]["DBInstanceIdentifier"]
    groups = {
        found["Properties"].get("LogGroupName"): (logical_id, found["Properties"])
        for logical_id, found in resources(templates["data"], "AWS::Logs::LogGroup").items()
    }
    for kind in database["Properties"]["EnableCloudwatchLogsExports"]:
        logical_id, group = groups[f"/aws/rds/instance/{name}/{kind}"]
        assert group["RetentionInDays"] == settings.log_retention_days
        assert logical_id in database["DependsOn"]


def test_a_protected_database_can_be_had_back_to_any_moment_of_a_week(
    templates: Templates, environment: str
) -> None:
    if load_settings(environment).protect_data:
        assert only(templates["data"], INSTANCE)["BackupRetentionPeriod"] >= 7


def test_clients_insist_on_tls_wherever_the_servers_have_it(
    templates: Templates, environment: str
) -> None:
    configured = {
        found["Name"].rpartition("/")[2]: text(found["Value"])
        for found in properties(templates["configuration"], "AWS::SSM::Parameter")
    }
    group = only(templates["data"], GROUP)
    if environment == "local":
        assert not {"DB_SSLMODE", "REDIS_TLS", "REDIS_PASSWORD"} & set(configured)
        assert group["TransitEncryptionEnabled"] is False
        return
    assert configured["DB_SSLMODE"] == "require"
    assert configured["REDIS_TLS"] == "true"
    assert group["TransitEncryptionEnabled"] is True
    assert text(group["AuthToken"]).startswith("{{resolve:secretsmanager:")


def test_redis_is_encrypted_at_rest_everywhere(templates: Templates) -> None:
    assert only(templates["data"], GROUP)["AtRestEncryptionEnabled"] is True


@pytest.mark.parametrize(
    ("shards", "replicas", "expected"),
    [
        (1, 0, {"NumCacheClusters": 1, "AutomaticFailoverEnabled": False}),
        (
            1,
            2,
            {"NumCacheClusters": 3, "AutomaticFailoverEnabled": True, "MultiAZEnabled": True},
        ),
        (
            3,
            1,
            {
                "NumNodeGroups": 3,
                "ReplicasPerNodeGroup": 1,
                "AutomaticFailoverEnabled": True,
                "MultiAZEnabled": True,
                "CacheParameterGroupName": "default.redis7.cluster.on",
            },
        ),
    ],
)
def test_redis_is_one_node_a_pair_or_a_cluster_by_configuration(
    changed: Changed, shards: int, replicas: int, expected: dict[str, Any]
) -> None:
    template = changed(redis={"elasticache": {"shards": shards, "replicas": replicas}})
    group = only(template, GROUP)
    shaped = ("NumCacheClusters", "NumNodeGroups", "ReplicasPerNodeGroup", "MultiAZEnabled")
    found = (*shaped, "AutomaticFailoverEnabled", "CacheParameterGroupName")
    assert {name: group[name] for name in found if name in group} == expected


def test_replicas_hold_nothing_of_their_own(changed: Changed) -> None:
    found = resources(changed(database={"rds": {"read_replicas": 2}}), INSTANCE)
    copies = [f for f in found.values() if "SourceDBInstanceIdentifier" in f["Properties"]]
    assert [copy["Properties"]["DBInstanceIdentifier"] for copy in copies] == [
        "academy-dev-replica-1",
        "academy-dev-replica-2",
    ]
    for copy in copies:
        assert STATEFUL not in copy.get("Metadata", {})
        assert copy["DeletionPolicy"] == "Delete"
        assert copy["Properties"]["StorageEncrypted"] is True
        assert copy["Properties"]["PubliclyAccessible"] is False
    [instance] = [f for f in found.values() if f not in copies]
    assert STATEFUL in instance["Metadata"]


@pytest.mark.parametrize("replicas", [0, 2])
def test_the_api_alone_is_told_of_a_replica(tmp_path: Path, replicas: int) -> None:
    rds = {"database": {"rds": {"read_replicas": replicas}}}
    settings = _merged(load_settings("dev").model_dump(), rds)
    template = synthesize(Settings.model_validate(settings), tmp_path)["configuration"]
    told = [one["Name"] for one in properties(template, "AWS::SSM::Parameter")]
    found = [name for name in told if name.endswith("/DB_REPLICA_HOST")]
    assert found == (["/academy/dev/api/env/DB_REPLICA_HOST"] if replicas else [])


def test_no_rotation_is_made_where_none_is_wanted(changed: Changed) -> None:
    template = changed(database={"rds": {"rotation_days": None}})
    assert resources(template, SCHEDULE) == {}
    assert resources(template, "AWS::Lambda::Function") == {}


def test_the_password_rotates_by_itself_and_no_deploy_changes_it(
    templates: Templates, environment: str
) -> None:
    schedule = only(templates["data"], SCHEDULE)
    days = load_settings(environment).database.rds.rotation_days
    assert schedule["RotationRules"] == {"AutomaticallyAfterDays": days}
    assert schedule["RotateImmediatelyOnUpdate"] is False


def test_the_rotation_function_may_touch_one_instance_and_one_secret(
    templates: Templates,
) -> None:
    template = templates["data"]
    assert actions_on(template, ":db:") == set(INSTANCE_ACTIONS)
    assert actions_on(template, "Credentials") == set(SECRET_ACTIONS)
    permission = only(template, "AWS::Lambda::Permission")
    assert permission["Principal"] == "secretsmanager.amazonaws.com"
    assert permission["SourceAccount"]


def test_backups_are_daily_kept_and_copied_where_nobody_deletes(prod: Templates) -> None:
    backup = load_settings("prod").backup
    assert backup is not None
    template = prod["data"]
    vaults = resources(template, VAULT)
    [locked] = [name for name in vaults if "LockConfiguration" in vaults[name]["Properties"]]
    lock = vaults[locked]["Properties"]["LockConfiguration"]
    assert lock["MinRetentionDays"] == backup.keep_days
    assert lock["ChangeableForDays"] >= 3, "without it the lock is in governance mode: no lock"
    for vault in vaults.values():
        assert vault["DeletionPolicy"] == "RetainExceptOnCreate"
        [statement] = vault["Properties"]["AccessPolicy"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert "backup:DeleteRecoveryPoint" in statement["Action"]
    plan = only(template, "AWS::Backup::BackupPlan")["BackupPlan"]
    [rule] = plan["BackupPlanRule"]
    [copy] = rule["CopyActions"]
    assert text(rule["TargetBackupVault"]) not in {locked, ""}
    assert locked in text(copy["DestinationBackupVaultArn"])
    # A copy that asks for less than the lock's minimum is refused.
    assert copy["Lifecycle"]["DeleteAfterDays"] >= lock["MinRetentionDays"]
    selection = only(template, "AWS::Backup::BackupSelection")["BackupSelection"]
    assert [":db:" in text(found) for found in selection["Resources"]] == [True]


def test_a_backup_that_fails_or_never_comes_is_told(prod: Templates) -> None:
    [rule] = [
        found
        for found in properties(prod["data"], "AWS::Events::Rule")
        if found["EventPattern"]["source"] == ["aws.backup"]
    ]
    assert {"FAILED", "ABORTED", "EXPIRED"} == set(rule["EventPattern"]["detail"]["state"])
    assert [bool(target["Arn"]) for target in rule["Targets"]] == [True]
    [alarm] = [
        found
        for found in properties(prod["data"], "AWS::CloudWatch::Alarm")
        if found["Namespace"] == "AWS/Backup"
    ]
    assert alarm["TreatMissingData"] == "breaching"


@pytest.mark.parametrize("environment", ["local", "dev"])
def test_where_data_is_not_kept_nothing_is_backed_up(
    assemblies: Callable[[str], Templates], environment: str
) -> None:
    assert resources(assemblies(environment)["data"], VAULT) == {}

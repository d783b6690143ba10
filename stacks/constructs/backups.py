"""Daily backups, and a copy of each that nobody can delete."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_rds as rds
from constructs import Construct

from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.alarm import alarm
from stacks.constructs.platform_stack import Place
from stacks.constructs.stateful import declare_stateful

#: 03:00 in Seoul, when nobody studies.
_HOUR_UTC = 18
#: What CDK lets AWS Backup act by.
_POLICY = "service-role/AWSBackupServiceRolePolicyForBackup"
_RUNBOOK = "restoring-the-database"


class Backups(Construct):
    """A plan that takes the database into one vault every day and copies it into a locked one.

    Both vaults are encrypted by AWS Backup's key and refuse deletion of recovery points by policy.
    The lock is in compliance mode: once `lock_after_days` have passed nobody, the account's root
    and AWS included, deletes what is younger than `keep_days` (docs/adr/0010). A job that fails
    tells the operators' topic, and so does a silence of two days.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        place: Place,
        database: rds.IDatabaseInstance,
        keep_days: int,
        lock_after_days: int,
    ) -> None:
        super().__init__(scope, identifier)
        keep = cdk.Duration.days(keep_days)
        daily = self._vault("Daily", place, None)
        locked = self._vault(
            "Locked",
            place,
            backup.LockConfiguration(
                min_retention=keep, changeable_for=cdk.Duration.days(lock_after_days)
            ),
        )
        plan = backup.BackupPlan(self, "Plan")
        plan.add_rule(
            backup.BackupPlanRule(
                backup_vault=daily,
                schedule_expression=events.Schedule.cron(hour=str(_HOUR_UTC), minute="0"),
                delete_after=keep,
                copy_actions=[
                    backup.BackupPlanCopyActionProps(
                        destination_backup_vault=locked, delete_after=keep
                    )
                ],
            )
        )
        selection = plan.add_selection(
            "Database", resources=[backup.BackupResource.from_rds_database_instance(database)]
        )
        acknowledge(
            selection,
            f"IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_POLICY}]",
            "AWS Backup's own: AWS adds to it what a new kind of copy needs; no code of ours is it",
        )
        self._tell_failures(place)
        self._tell_silence(place, daily)

    def _vault(
        self, identifier: str, place: Place, lock: backup.LockConfiguration | None
    ) -> backup.BackupVault:
        vault = backup.BackupVault(
            self,
            identifier,
            lock_configuration=lock,
            block_recovery_point_deletion=True,
        )
        declare_stateful(vault, place=place, holds="backups of the database")
        return vault

    def _tell_failures(self, place: Place) -> None:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html"""
        if place.alarms is None:
            raise ValueError(f"{self.node.path}: no topic to tell; give Place.alarms")
        events.Rule(
            self,
            "Failures",
            description="A backup or its copy failed",
            event_pattern=events.EventPattern(
                source=["aws.backup"],
                detail_type=["Backup Job State Change", "Copy Job State Change"],
                detail={"state": ["ABORTED", "EXPIRED", "FAILED"]},
            ),
            targets=[targets.SnsTopic(place.alarms.topic)],
        )

    def _tell_silence(self, place: Place, vault: backup.BackupVault) -> None:
        completed = cloudwatch.Metric(
            namespace="AWS/Backup",
            metric_name="NumberOfBackupJobsCompleted",
            dimensions_map={"BackupVaultName": vault.backup_vault_name, "ResourceType": "RDS"},
            statistic="Sum",
            period=cdk.Duration.days(1),
        )
        alarm(
            self,
            "SilenceAlarm",
            place=place,
            metric=completed,
            threshold=1,
            above=False,
            periods=2,
            missing_is_bad=True,
            meaning="No backup of the database has completed for two days.",
            runbook=_RUNBOOK,
        )

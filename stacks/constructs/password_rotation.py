"""A database's password, changed by itself."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.constructs.acknowledge import NO_RESOURCE, grant_pattern
from stacks.constructs.platform_stack import Place
from stacks.constructs.python_lambda import PythonLambda

#: RDS takes a new password within seconds; the function looks for most of this time.
TIMEOUT_S = 300
#: Change the password, and see whether it is applied.
INSTANCE_ACTIONS = ("rds:DescribeDBInstances", "rds:ModifyDBInstance")
#: Look at the versions, copy the current one with another password, and make that the current one.
SECRET_ACTIONS = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
)


class PasswordRotation(Construct):
    """The rotation function and its schedule.

    The function stands outside the VPC and changes the password through RDS's API, since nothing in
    the isolated subnets could reach Secrets Manager (docs/adr/0009). It may read and write the one
    secret and modify the one instance; Secrets Manager alone may invoke it, for that secret.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        instance: rds.DatabaseInstance,
        credentials: secretsmanager.ISecret,
        every_days: int,
        place: Place,
    ) -> None:
        super().__init__(scope, identifier)
        self.function = PythonLambda(
            self,
            "Function",
            package="database_password",
            description="Changes the database's password",
            environment={"DB_INSTANCE": instance.instance_identifier},
            timeout_s=TIMEOUT_S,
            memory_mb=256,
            log_retention_days=place.log_retention_days,
        )
        self._grant(instance, credentials)
        invoke = lambda_.CfnPermission(
            self,
            "Invoke",
            action="lambda:InvokeFunction",
            function_name=self.function.function.function_arn,
            principal="secretsmanager.amazonaws.com",
            source_account=cdk.Stack.of(self).account,
            source_arn=credentials.secret_arn,
        )
        schedule = secretsmanager.CfnRotationSchedule(
            self,
            "Schedule",
            secret_id=credentials.secret_arn,
            rotation_lambda_arn=self.function.function.function_arn,
            rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(
                automatically_after_days=every_days
            ),
            # A deploy must not change a password in passing.
            rotate_immediately_on_update=False,
        )
        schedule.add_resource_dependency(invoke)

    def _grant(self, instance: rds.DatabaseInstance, credentials: secretsmanager.ISecret) -> None:
        """Grant what the four steps call, one action a call; CDK's rotation grants no less.

        A random password has no resource that it could be granted on.
        """
        for actions, arn in (
            (INSTANCE_ACTIONS, instance.instance_arn),
            (SECRET_ACTIONS, credentials.secret_arn),
        ):
            iam.Grant.add_to_principal(
                grantee=self.function.function, actions=list(actions), resource_arns=[arn]
            )
        grant_pattern(
            self.function.function,
            actions=["secretsmanager:GetRandomPassword"],
            arns=["*"],
            reason=NO_RESOURCE,
        )

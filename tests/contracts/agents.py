"""Who calls AWS with a role of ours besides our code: what it calls, and who says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.contracts.calls import Call


@dataclass(frozen=True)
class Agent:
    """Its actions, and where they are documented."""

    actions: tuple[str, ...]
    source: str


_PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_WRITE_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")

AGENTS = {
    "docker pull": Agent(
        _PULL,
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html",
    ),
    "docker push": Agent(
        (
            *_PULL,
            "ecr:BatchCheckLayerAvailability",
            "ecr:CompleteLayerUpload",
            "ecr:GetAuthorizationToken",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
        ),
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html",
    ),
    "docker's awslogs driver": Agent(
        _WRITE_LOGS,
        "https://docs.docker.com/engine/logging/drivers/awslogs/#credentials",
    ),
    "Session Manager's agent": Agent(
        (
            "ssm:UpdateInstanceInformation",
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ),
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html",
    ),
    "Lambda's log": Agent(
        _WRITE_LOGS,
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    ),
    "ECS's pull": Agent(
        (*_PULL, "ecr:BatchCheckLayerAvailability", "ecr:GetAuthorizationToken"),
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html",
    ),
    "ECS's log": Agent(
        _WRITE_LOGS,
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html",
    ),
    "ECS's parameters": Agent(
        ("ssm:GetParameters",),
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html",
    ),
    "ECS's secrets": Agent(
        ("secretsmanager:GetSecretValue",),
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html",
    ),
    # Its list without what makes log groups: ours is there before it.
    "VPC flow logs": Agent(
        (*_WRITE_LOGS, "logs:DescribeLogStreams"),
        "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html",
    ),
    # The one policy of AWS's that is taken whole: no code of ours says what AWS Backup calls.
    "AWS Backup": Agent(
        ("policy/service-role/AWSBackupServiceRolePolicyForBackup",),
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html",
    ),
    "the CDK CLI": Agent(
        ("sts:AssumeRole",),
        "https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html",
    ),
}

#: Commands that operators run inside our containers, and permissions that a document demands.
OPERATORS = {
    "api": Agent(("sqs:GetQueueAttributes", "sqs:GetQueueUrl"), "document 001, section 8.3"),
    "worker": Agent(
        ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
        "document 001, section 7.4",
    ),
}


def calls_of(name: str) -> Iterator[Call]:
    """Yield what an agent calls."""
    agent = AGENTS[name]
    yield from (Call(action, f"{name}, {agent.source}") for action in agent.actions)


def operators(kind: str) -> Iterator[Call]:
    """Yield what operators do with the role of an image kind."""
    agent = OPERATORS["api" if kind == "api" else "worker"]
    yield from (Call(action, agent.source) for action in agent.actions)

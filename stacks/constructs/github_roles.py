"""What GitHub's workflows may do: no key is stored there, each role trusts one kind of run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.contracts.names import IMAGES, PREFIX, physical_name
from config.contracts.parameters import found_path
from stacks.constructs.acknowledge import NO_RESOURCE, accept_patterns, grant_pattern
from stacks.constructs.release_bucket import ReleaseBucket

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
QUALIFIER = "hnb659fds"
#: The GitHub environment of the workflow that builds images.
IMAGES_ENVIRONMENT = "images"
#: What a deploy's verification reads and knows no resource.
VERIFIED = ("autoscaling:DescribeAutoScalingGroups", "cloudwatch:GetMetricStatistics")

#: Why the ARNs of what a deploy looks at are patterns.
OWN_ENVIRONMENT = "One environment's own, by its prefix: the rest of these names is generated"


@dataclass(frozen=True)
class Delivered:
    """What is delivered: the environment, `owner/name` of its repository, and where to."""

    environment: str
    repository: str
    account: str
    regions: Sequence[str]


class GitHubRoles(Construct):
    """Roles for a pull request's diff and for the deploys of one environment.

    The diff role changes nothing: it reads templates, and what CDK's lookup role may read. The
    deploy role may assume CDK's own roles of this account, record releases, and read what a deploy
    verifies; CloudFormation alone changes resources. GitHub's environment, with its approvals,
    decides who becomes it.
    """

    def __init__(
        self, scope: Construct, identifier: str, *, delivered: Delivered, releases: ReleaseBucket
    ) -> None:
        super().__init__(scope, identifier)
        self._delivered = delivered
        name = delivered.environment
        self.diff = github_role(
            self, "Diff", delivered, subject="pull_request", what=f"Diffs of {name}"
        )
        self._read_templates(self.diff)
        self._assume(self.diff, "lookup")
        self.deploy = github_role(
            self, "Deploy", delivered, subject=f"environment:{name}", what=f"Deploys of {name}"
        )
        self._read_templates(self.deploy)
        self._assume(self.deploy, "lookup", "deploy", "file-publishing")
        releases.grant_record(self.deploy)
        self._verify()

    def _assume(self, role: iam.Role, *kinds: str) -> None:
        """Grant CDK's bootstrap roles, whose trust is the account's own."""
        account, regions = self._delivered.account, self._delivered.regions
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sts:AssumeRole"],
                resources=[
                    f"arn:aws:iam::{account}:role/cdk-{QUALIFIER}-{kind}-role-{account}-{region}"
                    for kind in kinds
                    for region in regions
                ],
            )
        )

    def _read_templates(self, role: iam.Role) -> None:
        grant_pattern(
            role,
            actions=["cloudformation:DescribeStacks", "cloudformation:GetTemplate"],
            arns=self._stacks(),
            reason=OWN_ENVIRONMENT,
        )

    def _verify(self) -> None:
        """Grant what `academy deploy` reads and calls to see that what it made works."""
        named = physical_name(self._delivered.environment, f"{PREFIX}-*")
        grants = {
            "cloudwatch:DescribeAlarms": self._arns("cloudwatch", f"alarm:{named}"),
            "cloudformation:DescribeStackEvents": self._stacks(),
            "cloudformation:ListStackResources": self._stacks(),
            "ecs:DescribeServices": self._arns("ecs", f"service/{self._prefix()}*/*"),
            "ssm:GetParameter": self._arns(
                "ssm", f"parameter{found_path(self._delivered.environment, '*')}"
            ),
            "lambda:InvokeFunction": self._arns("lambda", f"function:{self._prefix()}monitoring-*"),
            "sqs:GetQueueAttributes": self._arns("sqs", named),
            "ecr:BatchGetImage": self._repositories(),
            "ecr:DescribeImages": self._repositories(),
            "ecr:PutImage": self._repositories(),
        }
        for action, resources in grants.items():
            grant_pattern(self.deploy, actions=[action], arns=resources, reason=OWN_ENVIRONMENT)
        grant_pattern(self.deploy, actions=VERIFIED, arns=["*"], reason=NO_RESOURCE)

    def _prefix(self) -> str:
        return f"{PREFIX}-{self._delivered.environment}-"

    def _stacks(self) -> list[str]:
        return self._arns("cloudformation", f"stack/{self._prefix()}*/*")

    def _repositories(self) -> list[str]:
        names = IMAGES.values()
        return [arn for name in names for arn in self._arns("ecr", f"repository/{name}")]

    def _arns(self, service: str, resource: str) -> list[str]:
        account = self._delivered.account
        return [
            f"arn:aws:{service}:{region}:{account}:{resource}" for region in self._delivered.regions
        ]


def images_role(
    scope: Construct,
    identifier: str,
    *,
    delivered: Delivered,
    repositories: Sequence[ecr.Repository],
) -> iam.Role:
    """Return the role that builds push with; it changes nothing but what lies in repositories."""
    role = github_role(
        scope,
        identifier,
        delivered,
        subject=f"environment:{IMAGES_ENVIRONMENT}",
        what="Pushes images",
    )
    for repository in repositories:
        repository.grant_pull_push(role)
        repository.grant(role, "ecr:DescribeImages")
    accept_patterns(role, arns=["*"], reason=NO_RESOURCE)
    return role


def identity_provider(scope: Construct, identifier: str) -> iam.CfnOIDCProvider:
    """Return GitHub's identity provider, which an account holds once."""
    return iam.CfnOIDCProvider(
        scope, identifier, url=f"https://{ISSUER}", client_id_list=[AUDIENCE]
    )


def github_role(
    scope: Construct, identifier: str, delivered: Delivered, *, subject: str, what: str
) -> iam.Role:
    """Return a role of GitHub runs of one repository and one `subject` (`environment:prod`).

    https://docs.github.com/en/actions/reference/security/oidc
    """
    provider = f"arn:aws:iam::{delivered.account}:oidc-provider/{ISSUER}"
    role = iam.Role(
        scope,
        identifier,
        description=f"{what}, from GitHub",
        max_session_duration=cdk.Duration.hours(2),
        assumed_by=iam.FederatedPrincipal(
            provider,
            conditions={
                "StringEquals": {
                    f"{ISSUER}:aud": AUDIENCE,
                    f"{ISSUER}:sub": f"repo:{delivered.repository}:{subject}",
                }
            },
            assume_role_action="sts:AssumeRoleWithWebIdentity",
        ),
    )
    cdk.CfnOutput(scope, f"{identifier}RoleArn", value=role.role_arn, description=what)
    return role

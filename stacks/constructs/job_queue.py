"""A documented queue with its dead-letter queue and the alarm on it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.contracts import queues
from stacks.constructs.platform_stack import Place, removal_policy


class JobQueue(Construct):
    """Queue `contract.physical(environment)` and its DLQ, both kept 14 days and encrypted.

    Names are physical because document 001's commands and the running application use them.
    The redrive threshold follows from the application's attempts. Only TLS may be used.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        contract: queues.Queue,
        place: Place,
        visibility_timeout_s: int,
        attempts: int,
    ) -> None:
        super().__init__(scope, identifier)
        self.contract = contract
        self.visibility_timeout_s = visibility_timeout_s
        self.dead_letter = self._queue(
            "DeadLetter", contract.dead_letter(place.environment), removal_policy(place)
        )
        self.queue = self._queue(
            "Queue",
            contract.physical(place.environment),
            removal_policy(place),
            visibility_timeout=cdk.Duration.seconds(visibility_timeout_s),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letter,
                max_receive_count=queues.max_receive_count(attempts),
            ),
        )
        self.dead_letter_alarm = cloudwatch.Alarm(
            self,
            "DeadLetterAlarm",
            alarm_description=f"A job of {contract.key} was given up: read the DLQ, then redrive.",
            metric=self.dead_letter.metric_approximate_number_of_messages_visible(
                period=cdk.Duration.minutes(1), statistic="Maximum"
            ),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold=0,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _queue(
        self,
        identifier: str,
        name: str,
        removal: cdk.RemovalPolicy,
        *,
        visibility_timeout: cdk.Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            identifier,
            queue_name=name,
            retention_period=cdk.Duration.seconds(queues.RETENTION_S),
            receive_message_wait_time=cdk.Duration.seconds(queues.RECEIVE_WAIT_S),
            visibility_timeout=visibility_timeout,
            dead_letter_queue=dead_letter_queue,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=removal,
        )

    def oldest_message_alarm(
        self, scope: Construct, identifier: str, *, threshold_s: int
    ) -> cloudwatch.Alarm:
        """Return an alarm on the age of the oldest message, in seconds, for a fleet's stack."""
        return cloudwatch.Alarm(
            scope,
            identifier,
            alarm_description=f"Jobs of {self.contract.key} wait too long: no worker takes them.",
            metric=self.queue.metric_approximate_age_of_oldest_message(
                period=cdk.Duration.minutes(1), statistic="Maximum"
            ),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold=threshold_s,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def grant_queues(grantee: iam.IGrantable, role: str, job_queues: dict[str, JobQueue]) -> None:
    """Grant a role what the producer and consumer table of `config.contracts.queues` gives it.

    `role` is `api` or a worker kind. Document 001's list of actions was short of two.
    """
    for key, job_queue in job_queues.items():
        if job_queue.contract.worker == role:
            job_queue.queue.grant(grantee, *queues.CONSUMER_ACTIONS)
        if key in queues.PRODUCERS.get(role, ()):
            job_queue.queue.grant(grantee, *queues.PRODUCER_ACTIONS)

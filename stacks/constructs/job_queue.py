"""A documented queue with its dead-letter queue and the alarm on it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.contracts import queues
from stacks.constructs.alarm import alarm
from stacks.constructs.platform_stack import Place
from stacks.constructs.stateful import declare_stateful

MINUTE = cdk.Duration.minutes(1)


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
        self.dead_letter = self._queue("DeadLetter", contract.dead_letter(place.environment), place)
        self.queue = self._queue(
            "Queue",
            contract.physical(place.environment),
            place,
            visibility_timeout=cdk.Duration.seconds(visibility_timeout_s),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letter,
                max_receive_count=queues.max_receive_count(attempts),
            ),
        )
        self.place = place
        self.dead_letter_alarm = alarm(
            self,
            "DeadLetterAlarm",
            place=place,
            metric=self.dead_letter.metric_approximate_number_of_messages_visible(
                period=MINUTE, statistic="Maximum"
            ),
            threshold=0,
            above=True,
            periods=1,
            missing_is_bad=False,
            meaning=f"A job of {contract.key} was given up: read the DLQ, then redrive.",
            runbook="the-dead-letter-queue-is-not-empty",
        )

    def _queue(
        self,
        identifier: str,
        name: str,
        place: Place,
        *,
        visibility_timeout: cdk.Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            identifier,
            queue_name=name,
            retention_period=cdk.Duration.seconds(queues.RETENTION_S),
            receive_message_wait_time=cdk.Duration.seconds(queues.RECEIVE_WAIT_S),
            visibility_timeout=visibility_timeout,
            dead_letter_queue=dead_letter_queue,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        declare_stateful(queue, place=place, holds="queued jobs")
        return queue

    def oldest_message_alarm(
        self, scope: Construct, identifier: str, *, threshold_s: int
    ) -> cloudwatch.Alarm:
        """Return an alarm for a fleet's stack: messages wait for `threshold_s` and none is taken.

        Not on ApproximateAgeOfOldestMessage: it is the age of the oldest message that is not
        deleted, so an encode of hours would raise it, and after three receives SQS leaves a
        message out of it. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        Jobs that are taken, but late, are the fleet's alarm on TimeToStart.
        """
        return alarm(
            scope,
            identifier,
            place=self.place,
            metric=cloudwatch.MathExpression(
                expression="IF(FILL(waiting, 0) > 0 AND FILL(taken, 0) < 1, 1, 0)",
                using_metrics={
                    "waiting": self.metric("ApproximateNumberOfMessagesVisible", "Minimum"),
                    "taken": self.metric("NumberOfMessagesReceived", "Sum"),
                },
                label=f"{self.contract.key}: jobs wait and nobody takes them",
                period=MINUTE,
            ),
            threshold=0,
            above=True,
            periods=max(1, threshold_s // 60),
            missing_is_bad=False,
            meaning=f"Jobs of {self.contract.key} wait and no worker takes them.",
            runbook="jobs-wait-too-long",
        )

    def metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        """Return a metric of the queue over a minute, by its documented name.

        A name and no reference: who watches a queue from another stack must not pin it.
        """
        return cloudwatch.Metric(
            namespace="AWS/SQS",
            metric_name=name,
            dimensions_map={"QueueName": self.contract.physical(self.place.environment)},
            period=MINUTE,
            statistic=statistic,
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

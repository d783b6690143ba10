"""The queues: keys, names, retention, and how the dead-letter threshold is derived."""

from __future__ import annotations

from dataclasses import dataclass

from config.contracts.names import physical_name

RETENTION_S = 14 * 24 * 3600
RECEIVE_WAIT_S = 20
#: SQS never lets a message stay in flight longer than this after its first receive.
MAX_IN_FLIGHT_S = 12 * 3600
#: Receives beyond the attempts, for work that a drained worker handed back, for duplicates, and
#: for workers that vanished or had no database.
HAND_BACK_ROOM = 15


@dataclass(frozen=True)
class Queue:
    """One documented queue.

    `key` is how the settings and the code name it; `name` the bare documented name;
    `worker` the kind that consumes it; `variable` the environment variable that carries its name.
    """

    key: str
    name: str
    worker: str
    variable: str

    def physical(self, environment: str) -> str:
        """Return the queue's physical name in an environment."""
        return physical_name(environment, self.name)

    def dead_letter(self, environment: str) -> str:
        """Return the physical name of its dead-letter queue."""
        return f"{self.physical(environment)}-dlq"


QUEUES = (
    Queue("video", "academy-video-jobs", "video", "VIDEO_SQS_QUEUE_NAME"),
    Queue("ai_lite", "academy-ai-jobs-lite", "ai", "AI_SQS_QUEUE_NAME_LITE"),
    Queue("ai_basic", "academy-ai-jobs-basic", "ai", "AI_SQS_QUEUE_NAME_BASIC"),
    Queue("ai_premium", "academy-ai-jobs-premium", "ai", "AI_SQS_QUEUE_NAME_PREMIUM"),
    Queue("messaging", "academy-messaging-jobs", "messaging", "MESSAGING_SQS_QUEUE_NAME"),
)
BY_KEY = {queue.key: queue for queue in QUEUES}


def max_receive_count(attempts: int) -> int:
    """Return the redrive threshold for a queue whose jobs may be attempted `attempts` times.

    Typed thresholds below the application's attempts once declared running jobs dead.
    """
    return attempts + HAND_BACK_ROOM


def copy_after(attempts: int) -> int:
    """Return the receives after which a worker replaces a healthy job's message by a fresh one.

    A third of the room is left, for receives after which no worker could write anything.
    """
    return max_receive_count(attempts) - HAND_BACK_ROOM // 3


#: What a receiver and a sender call (document 001 forgot GetQueueUrl and ChangeMessageVisibility).
CONSUMER_ACTIONS = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
)
PRODUCER_ACTIONS = ("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage")
OBSERVER_ACTIONS = ("sqs:GetQueueAttributes", "sqs:GetQueueUrl")

#: Who sends to which queue. Who receives stands in each queue's `worker`.
PRODUCERS = {"api": tuple(queue.key for queue in QUEUES)}

"""AWS/SQS: what CloudWatch shows of every queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from local.control.minutes import MinuteMetrics
from local.services.autoscaling.sources import ClientSource
from local.services.sqs.service import Gauge, SqsService


class SqsMetrics(MinuteMetrics):
    """Publishes depth, age and traffic of every queue each minute.

    Names: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
    sqs-available-cloudwatch-metrics.html
    """

    namespace = "AWS/SQS"
    dimension = "QueueName"

    def __init__(self, clients: ClientSource, sqs: SqsService) -> None:
        super().__init__(clients)
        self._sqs = sqs
        self._before: dict[str, Gauge] = {}

    def read(self) -> Iterable[tuple[str, dict[str, tuple[float, str]]]]:
        """Return each queue's gauges, and its traffic since the last reading."""
        gauges = self._sqs.gauges()
        yield from self._metrics(gauges)
        self._before = {gauge.name: gauge for gauge in gauges}

    def _metrics(self, gauges: list[Gauge]) -> Iterator[tuple[str, dict[str, tuple[float, str]]]]:
        for gauge in gauges:
            before = self._before.get(gauge.name)
            if before is None or before.sent > gauge.sent:
                before = Gauge(gauge.name, 0, 0, 0, 0.0, 0, 0, 0)
            yield (
                gauge.name,
                {
                    "ApproximateNumberOfMessagesVisible": (gauge.visible, "Count"),
                    "ApproximateNumberOfMessagesNotVisible": (gauge.not_visible, "Count"),
                    "ApproximateNumberOfMessagesDelayed": (gauge.delayed, "Count"),
                    "ApproximateAgeOfOldestMessage": (gauge.oldest_age_s, "Seconds"),
                    "NumberOfMessagesSent": (gauge.sent - before.sent, "Count"),
                    "NumberOfMessagesReceived": (gauge.received - before.received, "Count"),
                    "NumberOfMessagesDeleted": (
                        max(0, gauge.deleted - before.deleted),
                        "Count",
                    ),
                },
            )

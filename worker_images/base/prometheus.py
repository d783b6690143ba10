"""Metrics for whoever scrapes a worker: off unless METRICS_PORT says where."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from worker_images.base.metrics import JobMetrics

#: Seconds: from a text that takes a fraction of one to a lecture that takes hours.
_BUCKETS = (0.05, 0.2, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0)


class PrometheusMetrics:
    """Jobs by outcome, and histograms of their waits and durations, in a registry of its own."""

    def __init__(self, worker_kind: str) -> None:
        self.registry = CollectorRegistry()
        self._kind = worker_kind
        self._jobs = Counter(
            "academy_jobs", "Ended jobs", ["kind", "outcome"], registry=self.registry
        )
        self._age = self._seconds("queue_age", "From a message's send to its receive")
        self._start = self._seconds("time_to_start", "From a job's becoming ready to its claim")
        self._duration = self._seconds("job_duration", "From a job's claim to its end")

    def job_ended(self, job: JobMetrics) -> None:
        self._jobs.labels(self._kind, job.outcome).inc()
        self._age.labels(self._kind).observe(job.queue_age_s)
        self._duration.labels(self._kind).observe(job.duration_s)
        if job.time_to_start_s is not None:
            self._start.labels(self._kind).observe(job.time_to_start_s)

    def serve(self, port: int) -> None:
        """Answer scrapes on a port, in a thread."""
        start_http_server(port, registry=self.registry)

    def _seconds(self, name: str, text: str) -> Histogram:
        return Histogram(
            f"academy_{name}_seconds", text, ["kind"], buckets=_BUCKETS, registry=self.registry
        )

"""A job's numbers as CloudWatch and as Prometheus read them."""

from __future__ import annotations

import io
import json

from prometheus_client import generate_latest

from worker_images.base.metrics import AllMetrics, EmbeddedMetrics, JobMetrics
from worker_images.base.prometheus import PrometheusMetrics
from worker_images.base.testing import ManualClock

JOB = JobMetrics("SUCCEEDED", queue_age_s=12.0, time_to_start_s=11.0, duration_s=70.0)


def test_a_job_is_one_line_of_embedded_metrics() -> None:
    stream = io.StringIO()
    EmbeddedMetrics(stream, ManualClock(), environment="dev", worker_kind="video").job_ended(JOB)
    line = json.loads(stream.getvalue())
    assert (line["QueueAge"], line["TimeToStart"], line["JobDuration"]) == (12, 11, 70)
    assert (line["Jobs"], line["Outcome"]) == (1, "SUCCEEDED")
    first, second = line["_aws"]["CloudWatchMetrics"]
    assert first["Namespace"] == second["Namespace"] == "Academy/Workers"
    assert first["Dimensions"] == [["WorkerType", "Environment"]]
    assert second["Dimensions"] == [["WorkerType", "Environment", "Outcome"]]
    for directive in (first, second):
        for metric in directive["Metrics"]:
            assert metric["Name"] in line


def test_a_job_is_counted_and_measured_for_whoever_scrapes() -> None:
    metrics = PrometheusMetrics("messaging")
    AllMetrics((metrics, metrics)).job_ended(JOB)
    text = generate_latest(metrics.registry).decode()
    assert 'academy_jobs_total{kind="messaging",outcome="SUCCEEDED"} 2.0' in text
    assert 'academy_queue_age_seconds_sum{kind="messaging"} 24.0' in text
    assert 'academy_time_to_start_seconds_bucket{kind="messaging",le="15.0"} 2.0' in text
    assert 'academy_job_duration_seconds_count{kind="messaging"} 2.0' in text

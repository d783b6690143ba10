"""The bodies of answers, as the OpenAPI document shows them. The views make them by hand."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config.contracts.ai_jobs import JOB_TYPES
from config.contracts.fleet_facts import WorkerState
from config.contracts.states import AiJobState, TextState, VideoJobState, VideoState
from config.contracts.text_messages import MessageMode

Body = serializers.Serializer[Any]


def _one_of(values: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=[str(value) for value in values])


class ErrorBody(Body):
    """`detail` is for people, in Korean where staff read it; `code` is for programs."""

    detail = serializers.CharField()
    code = serializers.CharField()


class InvalidBody(ErrorBody):
    """Each field that is not valid stands beside them, with a list of what is wrong with it."""


class VideoBody(Body):
    """A lecture video."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    status = _one_of(VideoState)
    file_key = serializers.CharField()
    content_type = serializers.CharField()
    duration_s = serializers.FloatField(allow_null=True)
    error_code = serializers.CharField()
    error_message = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class UploadInitBody(Body):
    """Where to PUT the file, within 900 s and with this Content-Type."""

    video = VideoBody()
    upload_url = serializers.URLField()
    file_key = serializers.CharField()
    content_type = serializers.CharField()


class UploadCompleteBody(Body):
    """The video, and the job that encodes it."""

    video = VideoBody()
    job_id = serializers.UUIDField()


class RetryBody(Body):
    """The job that encodes the video once more."""

    detail = serializers.CharField()
    job_id = serializers.UUIDField()


class ProgressBody(Body):
    """How far a video is. Moments are null before they come; a sent one also a month later."""

    video_id = serializers.IntegerField()
    status = _one_of(VideoState)
    job_id = serializers.UUIDField(allow_null=True)
    job_status = serializers.ChoiceField([state.value for state in VideoJobState], required=False)
    attempt = serializers.IntegerField(required=False)
    percent = serializers.FloatField(min_value=0, max_value=100)
    step = serializers.CharField()
    seconds_left = serializers.FloatField(allow_null=True)
    queued_at = serializers.DateTimeField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    error_code = serializers.CharField(required=False, help_text="FAILED alone")
    error_message = serializers.CharField(required=False, help_text="FAILED alone")
    duration_s = serializers.FloatField(required=False, allow_null=True, help_text="READY alone")
    watch_url = serializers.URLField(required=False, help_text="READY alone; works for a week")


class AcceptedBody(Body):
    """A job to poll; a repeated call is answered with the job of the first."""

    job_id = serializers.UUIDField()
    status = _one_of(AiJobState)


class JobProgressBody(Body):
    """How far a job is."""

    percent = serializers.FloatField(min_value=0, max_value=100)
    step = serializers.CharField()
    seconds_left = serializers.FloatField(allow_null=True)


class JobBody(Body):
    """A job of the AI fleet.

    `result` of a roster: `enrolled_count`, `created_students_count`, and the rows in error; of an
    export `download_url`, which is null once the file is gone.
    """

    job_id = serializers.UUIDField()
    job_type = _one_of(JOB_TYPES)
    status = _one_of(AiJobState)
    result = serializers.DictField(allow_null=True)
    error_message = serializers.CharField()
    progress = JobProgressBody()


class TextBody(Body):
    """A text to one recipient."""

    id = serializers.UUIDField()
    to = serializers.CharField()
    status = _one_of(TextState)
    step = serializers.CharField()
    message_mode = _one_of(MessageMode)
    channel = serializers.CharField()
    provider = serializers.CharField()
    provider_reference = serializers.CharField()
    reservation_id = serializers.CharField()
    send_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    error_code = serializers.CharField()
    error_message = serializers.CharField()


class TextsBody(Body):
    """The texts of a call, in the order of its recipients."""

    reservation_id = serializers.CharField()
    messages = TextBody(many=True)


class CancelledBody(Body):
    """How many texts this call cancelled, and how many of the reservation are in which state."""

    reservation_id = serializers.CharField()
    cancelled_now = serializers.IntegerField()
    messages = serializers.DictField(child=serializers.IntegerField())


class BacklogBody(Body):
    """Video jobs that wait or run."""

    backlog = serializers.IntegerField(min_value=0)


class WorkerBody(Body):
    """A worker: what it says of itself, and how many jobs' rows name it as their holder."""

    instance_id = serializers.CharField()
    state = _one_of(WorkerState)
    jobs = serializers.IntegerField(min_value=0)
    leases = serializers.IntegerField(min_value=0)
    silent_s = serializers.FloatField(min_value=0)


class FleetBody(Body):
    """The jobs of a fleet and its workers; times in seconds, null where there is none."""

    waiting = serializers.IntegerField(min_value=0)
    running = serializers.IntegerField(min_value=0)
    oldest_s = serializers.FloatField(allow_null=True)
    mean_job_s = serializers.FloatField(allow_null=True)
    spot_losses = serializers.IntegerField(min_value=0)
    unnamed = serializers.IntegerField(min_value=0)
    workers = WorkerBody(many=True)


class FleetsBody(Body):
    """Fleets by kind: video, ai and messaging."""

    fleets = serializers.DictField(child=FleetBody())


class ScanBody(Body):
    """Stuck jobs that wait again with a message, and those that were given up."""

    recovered = serializers.IntegerField(min_value=0)
    dead = serializers.IntegerField(min_value=0)


class MarkedBody(Body):
    """The job's state now; `marked` is false when it had ended before."""

    job_id = serializers.UUIDField()
    status = serializers.CharField()
    marked = serializers.BooleanField()

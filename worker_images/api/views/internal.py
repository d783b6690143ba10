"""The calls of the metric Lambda and of operators, with the internal key."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from worker_images.api import metrics, ports, sweeper
from worker_images.api.auth import InternalKey
from worker_images.api.models import VideoJob

_DAY_S = 24 * 3600


class StuckRequest(serializers.Serializer[Any]):
    """Body of scan-stuck: seconds for which a job's lease must have been over."""

    threshold = serializers.FloatField(min_value=0, max_value=_DAY_S)


class DeadRequest(serializers.Serializer[Any]):
    """Body of dlq-mark-dead."""

    job_id = serializers.UUIDField()


class BacklogCount(APIView):
    """`GET backlog-count/`: jobs that wait or run, from the database."""

    authentication_classes = (InternalKey,)

    def get(self, request: Request) -> Response:
        return Response({"backlog": metrics.open_jobs()})


class ScanStuck(APIView):
    """`POST scan-stuck/`: put back what lost its worker."""

    authentication_classes = (InternalKey,)

    def post(self, request: Request) -> Response:
        body = StuckRequest(data=request.data)
        body.is_valid(raise_exception=True)
        scan = sweeper.scan_stuck(
            body.validated_data["threshold"], settings.API.attempts, ports.sender().send
        )
        return Response({"recovered": scan.recovered, "dead": scan.dead})


class MarkDead(APIView):
    """`POST dlq-mark-dead/`: end a job whose message an operator found in the DLQ."""

    authentication_classes = (InternalKey,)

    def post(self, request: Request) -> Response:
        body = DeadRequest(data=request.data)
        body.is_valid(raise_exception=True)
        job = VideoJob.objects.filter(pk=body.validated_data["job_id"]).first()
        if job is None:
            raise Http404
        marked = sweeper.mark_dead(job)
        job.refresh_from_db()
        return Response({"job_id": str(job.pk), "status": job.state, "marked": marked})

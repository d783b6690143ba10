"""The calls of the metric Lambda and of operators, with the internal key."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.contracts.fleet_facts import encode_fleets
from worker_images.api import fleets, metrics, ports, sweeper
from worker_images.api.auth import InternalKey

_DAY_S = 24 * 3600
_HOUR_S = 3600


class StuckRequest(serializers.Serializer[Any]):
    """Body of scan-stuck.

    `threshold` is in seconds: for how long a job's lease must have been over, 0 to a day.
    """

    threshold = serializers.FloatField(min_value=0, max_value=_DAY_S)


class DeadRequest(serializers.Serializer[Any]):
    """Body of dlq-mark-dead."""

    job_id = serializers.UUIDField()


class FleetsQuery(serializers.Serializer[Any]):
    """Query of fleets."""

    within_s = serializers.IntegerField(
        min_value=1,
        max_value=_DAY_S,
        default=_HOUR_S,
        help_text="Spot instances that were taken back within so many seconds are losses",
    )


class BacklogCount(APIView):
    """`GET backlog-count/`: jobs that wait or run, from the database."""

    authentication_classes = (InternalKey,)

    def get(self, request: Request) -> Response:
        return Response({"backlog": metrics.open_jobs()})


class Fleets(APIView):
    """`GET fleets/`: the jobs of every fleet and its workers, from the database."""

    authentication_classes = (InternalKey,)

    def get(self, request: Request) -> Response:
        query = FleetsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(encode_fleets(fleets.fleets(query.validated_data["within_s"])))


class ScanStuck(APIView):
    """`POST scan-stuck/`: sweep now, every kind of job, as the relay does each minute."""

    authentication_classes = (InternalKey,)

    def post(self, request: Request) -> Response:
        body = StuckRequest(data=request.data)
        body.is_valid(raise_exception=True)
        threshold_s = body.validated_data["threshold"]
        scan = sweeper.sweep(threshold_s, settings.API.attempts, ports.sender().depth)
        return Response({"recovered": scan.recovered, "dead": scan.dead})


class MarkDead(APIView):
    """`POST dlq-mark-dead/`: end a job, of any kind, whose message was found in a DLQ."""

    authentication_classes = (InternalKey,)

    def post(self, request: Request) -> Response:
        body = DeadRequest(data=request.data)
        body.is_valid(raise_exception=True)
        job_id = body.validated_data["job_id"]
        kind = sweeper.kind_of(job_id)
        if kind is None:
            raise Http404
        marked = sweeper.mark_dead(kind, job_id)
        state = sweeper.state_of(kind, job_id)
        return Response({"job_id": str(job_id), "status": state, "marked": marked})

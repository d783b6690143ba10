"""The staff's calls: uploads, retries, progress. A video of another tenant is a 404."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import reverse
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.contracts.states import VideoState
from worker_images.api import answers, jobs, playback, ports, uploads
from worker_images.api.models import Video, VideoJob

_TITLE_CHARACTERS = 200
_FILENAME_CHARACTERS = 255


class UploadRequest(serializers.Serializer[Any]):
    """Body of upload/init."""

    title = serializers.CharField(
        max_length=_TITLE_CHARACTERS, required=False, allow_blank=True, default=""
    )
    filename = serializers.CharField(max_length=_FILENAME_CHARACTERS)
    content_type = serializers.CharField(
        max_length=_TITLE_CHARACTERS, required=False, allow_blank=True, default=""
    )


class UploadInit(APIView):
    """`POST upload/init/`: where to PUT a new video."""

    def post(self, request: Request) -> Response:
        body = UploadRequest(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            video = uploads.create_video(request.user.tenant_id, **body.validated_data)
        except uploads.NotAVideo as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error
        upload_url = ports.storage().presign_put(
            video.file_key,
            content_type=video.content_type,
            expires_s=uploads.UPLOAD_URL_MAX_AGE_S,
        )
        answer = {
            "video": describe(video),
            "upload_url": upload_url,
            "file_key": video.file_key,
            "content_type": video.content_type,
        }
        return Response(answer, status=status.HTTP_201_CREATED)


class UploadComplete(APIView):
    """`POST {id}/upload/complete/`: the file is there, encode it."""

    def post(self, request: Request, video_id: int) -> Response:
        video = own_video(request, video_id)
        job = jobs.complete_upload(video, ports.exists, ports.sender().send)
        video.refresh_from_db()
        return Response({"video": describe(video), "job_id": str(job.pk)})


class Retry(APIView):
    """`POST {id}/retry/`: encode it again."""

    def post(self, request: Request, video_id: int) -> Response:
        job = jobs.retry(own_video(request, video_id), ports.exists, ports.sender().send)
        answer = {"detail": "재처리를 요청했습니다.", "job_id": str(job.pk)}
        return Response(answer, status=status.HTTP_202_ACCEPTED)


class Progress(APIView):
    """`GET {id}/progress/`: how far it is, with the moments of its newest job."""

    def get(self, request: Request, video_id: int) -> Response:
        answer = answers.remembered(
            answers.progress_key(request.user.tenant_id, video_id),
            lambda: describe_progress(own_video(request, video_id)),
            lasting=lambda facts: facts["status"] == VideoState.READY,
        )
        if answer["status"] == VideoState.READY:
            path = reverse("watch", args=[playback.token(video_id)])
            answer["watch_url"] = request.build_absolute_uri(path)
        return Response(answer)


def own_video(request: Request, video_id: int) -> Video:
    """Return the video if it belongs to the caller's tenant. Raises: Http404."""
    video = Video.objects.filter(pk=video_id, tenant_id=request.user.tenant_id).first()
    if video is None:
        raise Http404
    return video


def describe(video: Video) -> dict[str, object]:
    """Return a video as the API shows it."""
    return {
        "id": video.pk,
        "title": video.title,
        "status": video.state,
        "file_key": video.file_key,
        "content_type": video.content_type,
        "duration_s": video.duration_s,
        "error_code": video.error_code,
        "error_message": video.error_message,
        "created_at": video.created_at,
        "updated_at": video.updated_at,
    }


def describe_progress(video: Video) -> dict[str, object]:
    """Return how far a video is, and what became of it."""
    answer: dict[str, object] = {"video_id": video.pk, "status": video.state}
    answer |= describe_job(jobs.latest_job(video))
    if video.state == VideoState.FAILED:
        answer |= {"error_code": video.error_code, "error_message": video.error_message}
    if video.state == VideoState.READY:
        answer["duration_s"] = video.duration_s
    return answer


def describe_job(job: VideoJob | None) -> dict[str, object]:
    """Return a job's part of the progress; the moments are ISO 8601, or null before they come."""
    if job is None:
        moments = dict.fromkeys(("queued_at", "sent_at", "started_at", "finished_at"))
        return {"job_id": None, "percent": 0.0, "step": "", "seconds_left": None, **moments}
    return {
        "job_id": str(job.pk),
        "job_status": job.state,
        "attempt": job.attempt,
        "percent": job.percent,
        "step": job.step,
        "seconds_left": job.seconds_left,
        "queued_at": job.created_at,
        "sent_at": jobs.first_sent_at(job.pk),
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }

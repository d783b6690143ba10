"""The staff's spreadsheets: a roster enrolled, attendance and staff exported, and their jobs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.contracts.excel_jobs import OnError
from config.contracts.spreadsheets import FILE_TOO_LARGE, MAX_FILE_BYTES, refusal
from worker_images.api import excel, ports
from worker_images.api.models import AiJob, Lecture

_PASSWORD_CHARACTERS = (4, 128)
_LARGEST_ID = 2**63 - 1
#: What the other fields and the form itself may add to the file.
_FORM_BYTES = 64 * 1024


class BodyTooLarge(APIException):
    """413: the body was not read."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code, default_detail = FILE_TOO_LARGE


class RosterRequest(serializers.Serializer[Any]):
    """Body of lecture_enroll_from_excel. `on_error` defaults to keeping the good rows.

    A roster may be sent again once its bad rows are mended: who is enrolled already stays so.
    """

    file = serializers.FileField(allow_empty_file=True)
    lecture_id = serializers.IntegerField(min_value=1, max_value=_LARGEST_ID)
    session_id = serializers.IntegerField(
        min_value=1, max_value=_LARGEST_ID, required=False, allow_null=True
    )
    initial_password = serializers.CharField(
        min_length=_PASSWORD_CHARACTERS[0],
        max_length=_PASSWORD_CHARACTERS[1],
        trim_whitespace=False,
    )
    on_error = serializers.ChoiceField(
        [choice.value for choice in OnError], default=OnError.KEEP_GOOD_ROWS.value
    )

    def validate_file(self, file: UploadedFile) -> UploadedFile:
        """Take an .xlsx by its content; neither name nor type can be trusted."""
        refused = refusal(file.file, file.size or 0)
        if refused:
            code, reason = refused
            raise serializers.ValidationError(reason, code=code)
        return file


class LectureRequest(serializers.Serializer[Any]):
    """Body of attendance_excel_export."""

    lecture_id = serializers.IntegerField(min_value=1, max_value=_LARGEST_ID)


class EnrollFromExcel(APIView):
    """`POST lecture_enroll_from_excel/`: enrol the students of a roster."""

    parser_classes = (MultiPartParser,)

    def post(self, request: Request) -> Response:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_FILE_BYTES + _FORM_BYTES:
            raise BodyTooLarge
        body = RosterRequest(data=request.data)
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        lecture = own_lecture(request, fields["lecture_id"])
        session_id = fields.get("session_id")
        if session_id is not None and not lecture.sessions.filter(pk=session_id).exists():
            raise Http404
        roster = excel.Roster(
            lecture=lecture,
            session_id=session_id,
            password=fields["initial_password"],
            on_error=OnError(fields["on_error"]),
            file=fields["file"].file,
        )
        return _accepted(excel.enrol(roster, ports.excel_storage(), ports.sender().send))


class ExcelJobStatus(APIView):
    """`GET excel_job_status/{job_id}/`: how a roster or an export fares."""

    def get(self, request: Request, job_id: UUID) -> Response:
        jobs = AiJob.objects.filter(tenant_id=request.user.tenant_id, job_type__in=excel.JOB_TYPES)
        job = jobs.filter(pk=job_id).first()
        if job is None:
            raise Http404
        return Response(excel.describe(job, ports.excel_storage()))


class AttendanceExport(APIView):
    """`POST attendance_excel_export/`: write who attended a lecture."""

    def post(self, request: Request) -> Response:
        body = LectureRequest(data=request.data)
        body.is_valid(raise_exception=True)
        lecture = own_lecture(request, body.validated_data["lecture_id"])
        return _accepted(excel.export_attendance(lecture, ports.sender().send))


class StaffExport(APIView):
    """`POST staff_excel_export/`: write who works for the tenant."""

    def post(self, request: Request) -> Response:
        return _accepted(excel.export_staff(request.user.tenant_id, ports.sender().send))


def own_lecture(request: Request, lecture_id: int) -> Lecture:
    """Return the lecture if it belongs to the caller's tenant. Raises: Http404."""
    lecture = Lecture.objects.filter(pk=lecture_id, tenant_id=request.user.tenant_id).first()
    if lecture is None:
        raise Http404
    return lecture


def _accepted(job: AiJob) -> Response:
    answer = {"job_id": str(job.pk), "status": job.state}
    return Response(answer, status=status.HTTP_202_ACCEPTED)

"""Every address of the API. `/healthz` is answered by middleware, before the Host check."""

from __future__ import annotations

from django.urls import include, path

from worker_images.api import errors
from worker_images.api.views import (
    enrollments,
    internal,
    operations,
    playback,
    schema,
    texts,
    videos,
)

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error

_videos = [
    path("upload/init/", videos.UploadInit.as_view()),
    path("<int:video_id>/upload/complete/", videos.UploadComplete.as_view()),
    path("<int:video_id>/retry/", videos.Retry.as_view()),
    path("<int:video_id>/progress/", videos.Progress.as_view()),
]
_enrollments = [
    path("lecture_enroll_from_excel/", enrollments.EnrollFromExcel.as_view()),
    path("excel_job_status/<uuid:job_id>/", enrollments.ExcelJobStatus.as_view()),
    path("attendance_excel_export/", enrollments.AttendanceExport.as_view()),
]
_staffs = [
    path("staff_excel_export/", enrollments.StaffExport.as_view()),
]
_internal = [
    path("backlog-count/", internal.BacklogCount.as_view()),
    path("scan-stuck/", internal.ScanStuck.as_view()),
    path("dlq-mark-dead/", internal.MarkDead.as_view()),
]
_messaging = [
    path("messages/", texts.Messages.as_view()),
    path("messages/<uuid:text_id>/", texts.Message.as_view()),
    path("reservations/<str:reservation_id>/cancel/", texts.CancelReservation.as_view()),
]

urlpatterns = [
    path("health", operations.health),
    path("health/", operations.health),
    path("metrics", operations.prometheus),
    path("api/v1/schema/", schema.Schema.as_view()),
    path("api/v1/media/videos/", include(_videos)),
    path("api/v1/messaging/", include(_messaging)),
    path("api/v1/enrollments/", include(_enrollments)),
    path("api/v1/staffs/", include(_staffs)),
    path("api/v1/internal/video/", include(_internal)),
    path("api/v1/internal/fleets/", internal.Fleets.as_view()),
    path("watch/<str:token>/", playback.watch, name="watch"),
    path("watch/<str:token>/hls/<path:name>", playback.hls),
    path("static/<str:digest>/<str:name>", playback.asset, name="asset"),
]

"""The tables. Workers write them with plain SQL, see worker_images.base.status.

Every default is the database's own, so that a raw INSERT may leave a column out. Text columns are
never NULL: an empty string means none.
"""

from worker_images.api.models.ai import AiJob
from worker_images.api.models.outbox import OutboxEntry
from worker_images.api.models.people import (
    Attendance,
    Enrollment,
    Lecture,
    LectureSession,
    StaffMember,
    Student,
)
from worker_images.api.models.release import Release
from worker_images.api.models.texts import ProviderCircuit, TextMessage
from worker_images.api.models.video import Video, VideoJob, VideoPart
from worker_images.api.models.worker import Worker

__all__ = [
    "AiJob",
    "Attendance",
    "Enrollment",
    "Lecture",
    "LectureSession",
    "OutboxEntry",
    "ProviderCircuit",
    "Release",
    "StaffMember",
    "Student",
    "TextMessage",
    "Video",
    "VideoJob",
    "VideoPart",
    "Worker",
]

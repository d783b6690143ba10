"""`python -m worker_images.video`: composes the worker and runs it until it may go."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import imageio_ffmpeg

from config.contracts.messages import DeleteVideo, VideoJob, decode_video_message
from worker_images.base.consumer import Consumer
from worker_images.base.job_kinds import VIDEO_JOBS
from worker_images.base.main import run_worker
from worker_images.base.parts import Parts
from worker_images.video.delete import DeleteVideoFiles, contradicted_by
from worker_images.video.encode import EncodeVideo
from worker_images.video.settings import load_video_settings

#: The runbook (7.4) greps for it.
MARKER = "VIDEO-WORKER-SQS"


def compose(parts: Parts, environ: Mapping[str, str]) -> Consumer:
    """Return the consumer of the video queue with everything it needs."""
    settings, storage = load_video_settings(environ), parts.storage("video")
    encode = EncodeVideo(storage, settings, imageio_ffmpeg.get_ffmpeg_exe(), parts.clock)
    delete = DeleteVideoFiles(
        storage, parts.status(VIDEO_JOBS), contradicted_by(parts.database.cursor)
    )
    return parts.consumer(
        marker=MARKER,
        queues=("video",),
        decode=decode_video_message,
        jobs={VideoJob: (VIDEO_JOBS, encode)},
        tasks={DeleteVideo: delete},
    )


if __name__ == "__main__":
    sys.exit(run_worker("video", compose))

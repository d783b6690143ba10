"""The jobs, as browsers order them: over HTTP, and again until they are answered."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from benchmarks.faults.files import clip, student, xlsx
from benchmarks.faults.plan import Mix
from benchmarks.faults.world import World

TENANT = 1
#: Students of a roster; SHARED of them stand in every roster.
STUDENTS, SHARED = 25, 5
#: Reading and enrolling so many takes seconds: whoever begins with it is killed within them.
POISON_STUDENTS = 30_000
#: Of rosters one in so many has no titles, of videos one in so many is none.
_BAD_ROSTERS, _BAD_VIDEOS = 10, 4
PLAIN_S, TORMENTED_S = 6, 45
_CLIENTS = 4
_TITLES = ("이름", "학생 전화", "학부모 전화")
_BAD_FILE = "강의 자료입니다.\n" * 50


@dataclass
class Orders:
    """What was ordered, told by what it shall come to.

    `texts` are the recipients' numbers, `rosters` the lectures with how many students each shall
    have, `videos` the frames that each shall have (0: it is no video).
    """

    world: World
    mix: Mix
    texts: list[str] = field(default_factory=list)
    rosters: dict[int, int] = field(default_factory=dict)
    exports: int = 0
    videos: dict[int, int] = field(default_factory=dict)
    poison_job: str = ""
    tormented_job: str = ""
    repeated: int = 0
    abandoned: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _clips: dict[int, tuple[bytes, int]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the clips, and the lectures that no call of the API makes."""
        for seconds in (PLAIN_S, TORMENTED_S):
            self._clips[seconds] = clip(self.world.folder / f"{seconds}.mp4", seconds)
        made = "INSERT INTO lectures (tenant_id, title) SELECT %s, 'f' FROM generate_series(1, %s)"
        self.world.rows(made, TENANT, self.mix.rosters + 1)

    def submit(self, draw: random.Random, length_s: float, tick: Callable[[], None]) -> None:
        """Order everything, evenly over `length_s` and shuffled; return when all is answered."""
        calls: list[Callable[[], None]] = []
        calls += [lambda n=n: self._text(n) for n in range(self.mix.texts)]
        calls += [lambda n=n: self._roster(n) for n in range(1, self.mix.rosters)]
        calls += [lambda n=n: self._export(n) for n in range(self.mix.exports)]
        calls += [lambda n=n: self._video(n) for n in range(1, self.mix.videos)]
        draw.shuffle(calls)
        began = time.monotonic()
        with ThreadPoolExecutor(_CLIENTS, thread_name_prefix="browser") as browsers:
            asked: list[Future[None]] = [browsers.submit(self._poison)]
            for number, call in enumerate(calls):
                due = began + number * length_s / len(calls)
                while time.monotonic() < due:
                    tick()
                    time.sleep(0.05)
                asked.append(browsers.submit(call))
        for one in asked:
            one.result()

    def torment(self) -> None:
        """Order the video that is going to be killed."""
        self.tormented_job = self._video_of(*self._clips[TORMENTED_S])

    def _text(self, number: int) -> None:
        to = f"010{number:08d}"
        self._post(
            "messaging/messages/",
            json={
                "idempotency_key": f"faults-{number}",
                "recipients": [{"to": to}],
                "text": f"수업이 끝났습니다. {number}",
                "sender": "0212345678",
            },
        )
        with self._lock:
            self.texts.append(to)

    def _roster(self, number: int) -> None:
        """Order an enrolment in a lecture of its own."""
        if number % _BAD_ROSTERS == 0:
            self._enrol(number, xlsx([("제목", "없는"), ("표", str(number))]))
            expected = 0
        else:
            own = range(number * STUDENTS, number * STUDENTS + STUDENTS - SHARED)
            self._enrol(number, xlsx([_TITLES, *map(student, [*range(SHARED), *own])]))
            expected = STUDENTS
        with self._lock:
            self.rosters[number] = expected

    def _poison(self) -> None:
        many = range(1_000_000, 1_000_000 + POISON_STUDENTS)
        file = xlsx([_TITLES, *map(student, many)])
        self.poison_job = self._enrol(self.mix.rosters + 1, file)

    def _enrol(self, lecture: int, file: bytes) -> str:
        answer = self._post(
            "enrollments/lecture_enroll_from_excel/",
            data={"lecture_id": lecture, "initial_password": "first-lesson-2026"},
            files={"file": ("roster.xlsx", file)},
        )
        return str(answer["job_id"])

    def _export(self, number: int) -> None:
        """Order the attendance of a lecture, or the staff of a tenant: each a job of its own."""
        if number % 2:
            self._post("staffs/staff_excel_export/", json={}, tenant=100 + number)
        else:
            lecture = number % self.mix.rosters + 1
            self._post("enrollments/attendance_excel_export/", json={"lecture_id": lecture})
        with self._lock:
            self.exports += 1

    def _video(self, number: int) -> None:
        if number % _BAD_VIDEOS == 0:
            self._video_of(_BAD_FILE.encode(), 0)
        else:
            self._video_of(*self._clips[PLAIN_S])

    def _video_of(self, file: bytes, frames: int) -> str:
        """Upload a film as a browser does; return its job."""
        wanted = {"title": "함수", "filename": "lecture.mp4", "content_type": "video/mp4"}
        made = self._post("media/videos/upload/init/", json=wanted)
        video_id = int(made["video"]["id"])
        self._until(lambda: requests.put(
            made["upload_url"], data=file, headers={"Content-Type": "video/mp4"}, timeout=60
        ))  # fmt: skip
        job = self._post(f"media/videos/{video_id}/upload/complete/", json={})
        with self._lock:
            self.videos[video_id] = frames
        return str(job["job_id"])

    def _post(self, path: str, *, tenant: int = TENANT, **body: Any) -> Any:
        headers = {
            "Authorization": f"Bearer {self.world.environ['OPERATOR_API_TOKEN']}",
            "X-Tenant-Id": str(tenant),
        }
        url = f"{self.world.api}/api/v1/{path}"
        return self._until(lambda: requests.post(url, headers=headers, timeout=60, **body)).json()

    def _until(self, call: Callable[[], requests.Response]) -> requests.Response:
        """Make a call again until it is answered well; a refusal other than 5xx is a defect."""
        while not self.abandoned.is_set():
            try:
                answer = call()
            except requests.RequestException:
                answer = None
            if answer is not None and answer.status_code < 400:
                return answer
            if answer is not None and answer.status_code < 500:
                raise AssertionError(f"{answer.status_code}: {answer.text[:500]}")
            with self._lock:
                self.repeated += 1
            time.sleep(0.5)
        raise AssertionError("the run was ended")

"""The images at work together: the API of one gives a job, the worker of another does it."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from werkzeug.serving import make_server
from xlsxwriter import Workbook

from local.faults import Faults
from local.text_provider import PREFIX, TextProvider
from tests.images.containers import Built, Container
from tests.images.test_programs import worker_variables
from tests.local.line.media import render_clip
from tests.unit.api.servers import AWS, ENVIRONMENT, PORTS, free_port

pytestmark = [pytest.mark.images, pytest.mark.timeout(1200)]
HEADERS = {
    "Host": "api.example",
    "Authorization": f"Bearer {ENVIRONMENT['OPERATOR_API_TOKEN']}",
    "X-Tenant-Id": "1",
}


@dataclass(frozen=True)
class Api:
    """The API in its container, its relay beside it, asked as a member of the staff."""

    container: Container
    url: str

    def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = requests.request(
            method, f"{self.url}{path}", headers=HEADERS, timeout=20, **options
        )
        assert answer.ok, answer.text
        return dict(answer.json())


@pytest.fixture
def api(images: Built, surroundings: None) -> Iterator[Api]:
    port = free_port()
    variables = {**AWS, "API_BIND": f"127.0.0.1:{port}"}
    relay = ("python", "-m", "worker_images.api.manage", "relay_outbox")
    with images.running("api", variables, *relay), images.running("api", variables) as container:
        found = Api(container, f"http://127.0.0.1:{port}")

        def answers() -> bool:
            try:
                return requests.get(f"{found.url}/healthz", timeout=5).ok
            except requests.RequestException:
                return False

        container.wait(answers, "answers")
        yield found


def test_a_lecture_is_encoded(api: Api, images: Built, tmp_path: Path) -> None:
    clip = render_clip(tmp_path / "lecture.mp4", seconds=4)
    asked = {"title": "t", "filename": clip.name, "content_type": "video/mp4"}
    made = api.ask("POST", "/api/v1/media/videos/upload/init/", json=asked)
    kind = {"Content-Type": made["content_type"]}
    requests.put(made["upload_url"], clip.read_bytes(), headers=kind, timeout=20).raise_for_status()
    path = f"/api/v1/media/videos/{made['video']['id']}"
    api.ask("POST", f"{path}/upload/complete/")
    with images.running("video", worker_variables("video")) as worker:
        worker.wait(lambda: api.ask("GET", f"{path}/progress/")["status"] == "READY", "READY")


def test_a_roster_is_enrolled(api: Api, images: Built) -> None:
    place = f"host=127.0.0.1 port={PORTS['postgres']} user=academy dbname=postgres"
    with psycopg.connect(place) as connection:
        made = "insert into lectures (tenant_id, title) values (1, 't') returning id"
        [lecture] = connection.execute(made).fetchone() or (0,)
    job = api.ask(
        "POST",
        "/api/v1/enrollments/lecture_enroll_from_excel/",
        data={"lecture_id": lecture, "initial_password": "first-lesson-2026"},
        files={"file": ("roster.xlsx", roster())},
    )
    path = f"/api/v1/enrollments/excel_job_status/{job['job_id']}/"
    with images.running("ai", worker_variables("ai")) as worker:
        worker.wait(lambda: api.ask("GET", path)["status"] == "DONE", "DONE")
    assert api.ask("GET", path)["result"]["enrolled_count"] == 1


def test_a_text_is_sent(api: Api, images: Built) -> None:
    order = {
        "idempotency_key": "one",
        "recipients": [{"to": "01011112222"}],
        "text": "내일 수업은 열 시입니다.",
        "sender": "0212345678",
    }
    [text] = api.ask("POST", "/api/v1/messaging/messages/", json=order)["messages"]
    path = f"/api/v1/messaging/messages/{text['id']}/"
    with provider() as endpoint:
        variables = worker_variables("messaging") | {"MESSAGING_ENDPOINT": endpoint}
        with images.running("messaging", variables) as worker:
            worker.wait(lambda: api.ask("GET", path)["status"] == "SENT", "SENT")


def roster() -> bytes:
    """Return a workbook of one student."""
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ("이름", "학생 전화", "학부모 전화"))
        sheet.write_row(1, 0, ("홍길동", "010-1234-0001", "010-9876-0001"))
    return buffer.getvalue()


@contextmanager
def provider() -> Iterator[str]:
    """Serve the provider of texts that the embedded AWS plays; yield its address."""
    server = make_server("127.0.0.1", 0, TextProvider(Faults()), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}".rstrip("/")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

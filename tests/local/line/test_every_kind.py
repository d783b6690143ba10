"""A roster and texts on the whole line: API, queue, a fleet that comes from zero, result."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

import pytest
import requests
from xlsxwriter import Workbook

from tests.local.line.platform import Platform, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]
STUDENTS = 40
MESSAGING_GROUP = "academy-messaging-worker-asg"


@pytest.fixture(scope="module")
def lecture(platform: Platform) -> int:
    """A lecture of academy 1; no call of the API makes one."""
    made = "insert into lectures (tenant_id, title) values (1, '수학 특강') returning id"
    return int(platform.rows(made)[0][0])


def roster() -> bytes:
    """Return a workbook of STUDENTS right rows, and one whose phone is none."""
    titles, wrong = ("이름", "학생 전화", "학부모 전화"), ("나쁜행", "12", "")
    good = [(f"학생{n:02d}", f"010-2222-{n:04d}", f"010-3333-{n:04d}") for n in range(STUDENTS)]
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate([titles, *good, wrong]):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def text(*numbers: str, body: str) -> dict[str, Any]:
    """Return the body of a call that sends one text to each number."""
    return {
        "idempotency_key": str(uuid4()),
        "recipients": [{"to": number} for number in numbers],
        "text": body,
        "sender": "0212345678",
    }


def taken(platform: Platform, body: str) -> list[str]:
    """Return whom the provider was given a text for."""
    answer = requests.get(f"{platform.address['AWS_ENDPOINT_URL']}/_local/texts", timeout=10)
    return sorted(each["receiver"] for each in answer.json() if each["msg"] == body)


def states(platform: Platform, answer: requests.Response) -> set[str]:
    """Return the states of the texts that a call was answered with."""
    identifiers = [each["id"] for each in answer.json()["messages"]]
    found = [platform.api("GET", f"/api/v1/messaging/messages/{each}/") for each in identifiers]
    return {each.json()["status"] for each in found}


def test_a_roster_becomes_students_and_its_file_goes(platform: Platform, lecture: int) -> None:
    answer = platform.api(
        "POST",
        "/api/v1/enrollments/lecture_enroll_from_excel/",
        data={"lecture_id": lecture, "initial_password": "first-lesson-2026"},
        files={"file": ("roster.xlsx", roster())},
    )
    assert (answer.status_code, answer.json()["status"]) == (202, "PENDING"), answer.text
    path = f"/api/v1/enrollments/excel_job_status/{answer.json()['job_id']}/"

    def ended() -> dict[str, Any] | None:
        shown: dict[str, Any] = platform.api("GET", path).json()
        return shown if shown["status"] in {"DONE", "FAILED", "REVIEW_REQUIRED"} else None

    shown = wait_for("the roster is enrolled", ended)
    assert shown["result"]["enrolled_count"] == STUDENTS, shown
    enrolled = "select count(*) from enrollments where lecture_id = %s"
    assert platform.rows(enrolled, lecture) == [(STUDENTS,)]
    left = platform.client("s3").list_objects_v2(Bucket="academy-excel", Prefix="excel/")
    assert left["KeyCount"] == 0


def test_texts_go_out_once_each_and_wait_while_the_provider_is_away(platform: Platform) -> None:
    body = f"내일 수업은 열 시입니다. {uuid4().hex[:8]}"
    order = text("01011112222", "01033334444", body=body)
    platform.set_fault("texts", down=True)
    try:
        answer = platform.api("POST", "/api/v1/messaging/messages/", json=order)
        assert answer.status_code == 202, answer.text
        # The same call again is the same texts.
        platform.api("POST", "/api/v1/messaging/messages/", json=order)
        attempted = "select count(*) from provider_circuits where failures > 0"
        wait_for("the provider is found away", lambda: platform.rows(attempted) != [(0,)])
        assert taken(platform, body) == []
    finally:
        platform.set_fault("texts", down=False)
    wait_for("the texts are sent", lambda: states(platform, answer) == {"SENT"})
    assert taken(platform, body) == ["01011112222", "01033334444"]


def test_a_worker_leaves_on_a_spot_notice_and_its_texts_go_out(platform: Platform) -> None:
    def serving() -> str | None:
        [group] = platform.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[MESSAGING_GROUP]
        )["AutoScalingGroups"]
        found = [each["InstanceId"] for each in group["Instances"]]
        return next((one for one in found if group["DesiredCapacity"]), None)

    bodies = [f"{word} {uuid4().hex[:8]}" for word in ("먼저", "나중")]
    orders = [text("01055556666", body=body) for body in bodies]
    path = "/api/v1/messaging/messages/"
    answers = [platform.api("POST", path, json=orders[0])]
    instance = wait_for("a worker comes", serving)
    notice = {"instance_id": instance, "kind": "interruption", "within_s": 30}
    url = f"{platform.address['AWS_ENDPOINT_URL']}/_local/spot-notice"
    requests.post(url, json=notice, timeout=10).raise_for_status()
    answers.append(platform.api("POST", path, json=orders[1]))
    wait_for("both are sent", lambda: all(states(platform, each) == {"SENT"} for each in answers))
    assert [taken(platform, body) for body in bodies] == [["01055556666"]] * 2
    ec2 = platform.client("ec2")

    def gone() -> bool:
        found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return bool(found["State"]["Name"] in {"shutting-down", "terminated"})

    wait_for("the instance is gone", gone)

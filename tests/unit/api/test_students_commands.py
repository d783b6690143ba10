"""The documented commands on deleted students: a dry run lists exactly what a run changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, connections
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.api.excel_line import connected
from tests.unit.api.servers import ENVIRONMENT
from worker_images.api.models import (
    Attendance,
    Enrollment,
    Lecture,
    LectureSession,
    Student,
)

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("database")]
CHECK, PURGE = "check_deleted_student_duplicates", "purge_deleted_students"
ROOT = Path(__file__).parents[3]
TABLES = {"students": Student, "enrollments": Enrollment, "attendance": Attendance}
OWNERS = {"enrollments": "student_id", "attendance": "enrollment_id"}

Rows = dict[str, dict[int, dict[str, Any]]]


def student(name: str = "홍길동", *, deleted_days_ago: float | None = None, **more: Any) -> Student:
    gone = deleted_days_ago is not None
    return Student.objects.create(
        deleted_at=Now() - timedelta(days=deleted_days_ago or 0) if gone else None,
        **{"tenant_id": 1, "name": name, "phone": "01012345678", **more},
    )


def enrolled(who: Student, lecture: Lecture, **marks: str) -> Enrollment:
    """Enrol a student; `marks` are states by session: `s1="PRESENT"`."""
    enrollment = Enrollment.objects.create(tenant_id=1, lecture=lecture, student=who)
    for name, state in marks.items():
        session, _ = LectureSession.objects.get_or_create(lecture=lecture, position=int(name[1:]))
        Attendance.objects.create(session=session, enrollment=enrollment, state=state)
    return enrollment


def rows() -> Rows:
    return {
        table: {row["id"]: row for row in model.objects.values()} for table, model in TABLES.items()
    }


def changed(before: Rows, after: Rows) -> set[tuple[str, str, int, int | None]]:
    """Return what happened between two states of the tables, as a plan would list it."""
    found: set[tuple[str, str, int, int | None]] = set()
    for table in TABLES:
        assert after[table].keys() <= before[table].keys()
        for pk, row in before[table].items():
            now = after[table].get(pk)
            if now is None:
                found.add(("delete", table, pk, None))
            elif now != row:
                owner = OWNERS[table]
                assert {**row, owner: now[owner]} == now
                found.add(("move", table, pk, now[owner]))
    return found


def plan(command: str, *options: str) -> tuple[set[tuple[str, str, int, int | None]], Any]:
    """Run a command with --json; return the changes that it lists, and all that it says."""
    out = StringIO()
    call_command(command, *options, "--json", stdout=out)
    told = json.loads(out.getvalue())
    listed = [
        (change["action"], change["table"], change["id"], change["to"])
        for section in told["sections"]
        for change in section["changes"]
    ]
    assert len(set(listed)) == len(listed)
    assert sum(told["totals"].values()) == len(listed)
    return set(listed), told


def both(command: str, *run: str) -> Any:
    """Do a dry run, then the run; check that the one lists what the other changes."""
    before = rows()
    listed, told = plan(command, "--dry-run")
    assert told["dry_run"]
    assert rows() == before
    done, said = plan(command, *run)
    assert not said["dry_run"]
    assert listed == done == changed(before, rows())
    assert plan(command, "--dry-run")[0] == set()
    return told


def test_the_row_that_is_not_deleted_stays_and_takes_over(lecture: Lecture) -> None:
    other = Lecture.objects.create(tenant_id=1, title="기하")
    old = student(deleted_days_ago=9)
    mine, theirs = (
        enrolled(old, lecture, s1="PRESENT", s2="LATE"),
        enrolled(old, other, s1="ABSENT"),
    )
    kept = student()
    held = enrolled(kept, lecture, s1="PLANNED", s3="PRESENT")
    told = both(CHECK, "--fix")
    assert [section["kept"]["id"] for section in told["sections"]] == [kept.pk]
    assert list(Student.objects.values_list("pk", flat=True)) == [kept.pk]
    assert set(Enrollment.objects.values_list("pk", "student_id")) == {
        (held.pk, kept.pk),
        (theirs.pk, kept.pk),
    }
    marks = Attendance.objects.filter(enrollment=held).order_by("session__position")
    assert list(marks.values_list("state", flat=True)) == ["PRESENT", "LATE", "PRESENT"]
    assert not Enrollment.objects.filter(pk=mine.pk).exists()


def test_of_deleted_rows_alone_the_one_deleted_last_stays_deleted(lecture: Lecture) -> None:
    rows = [student(deleted_days_ago=days) for days in (20, 3, 11)]
    both(CHECK, "--fix")
    left = Student.objects.get()
    assert left.pk == rows[1].pk
    assert left.deleted_at is not None


def test_what_differs_in_tenant_name_or_telephone_is_somebody_else() -> None:
    student(deleted_days_ago=1)
    student(tenant_id=2)
    student("홍길순")
    student(parent_phone="01099998888")
    student(phone="01000000000", deleted_days_ago=2)
    assert both(CHECK, "--fix")["sections"] == []
    assert Student.objects.count() == 5


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["가", "나"]),
            st.sampled_from([None, 1, 29.9, 30.1, 90]),
            st.dictionaries(
                st.sampled_from([0, 1]),
                st.dictionaries(
                    st.sampled_from(["s1", "s2"]),
                    st.sampled_from(["PLANNED", "PRESENT", "LATE", "ABSENT"]),
                ),
            ),
        ),
        max_size=7,
    ),
    st.sampled_from([(CHECK, "--fix"), (PURGE,)]),
)
def test_a_dry_run_lists_exactly_what_the_run_changes(
    history: list[Any], command: tuple[str, ...]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE students, lectures CASCADE")
    lectures = [Lecture.objects.create(tenant_id=1, title=f"{each}") for each in range(2)]
    alive: set[str] = set()
    for name, days, marks in history:
        if days is None and name in alive:
            continue
        alive |= {name} if days is None else set()
        made = student(name, deleted_days_ago=days)
        for number, states in marks.items():
            enrolled(made, lectures[number], **states)
    told = {
        (row["session_id"], row["enrollment__student__name"])
        for row in Attendance.objects.exclude(state="PLANNED").values(
            "session_id", "enrollment__student__name"
        )
    }
    month_ago = Now() - timedelta(days=30)
    recent = set(Student.objects.exclude(deleted_at__lte=month_ago).values_list("pk", flat=True))
    both(*command)
    if command[0] == CHECK:
        assert alive == set(Student.objects.filter(deleted_at=None).values_list("name", flat=True))
        # No mark that says how somebody attended is lost.
        assert told == {
            (row["session_id"], row["enrollment__student__name"])
            for row in Attendance.objects.exclude(state="PLANNED").values(
                "session_id", "enrollment__student__name"
            )
        }
    else:
        assert set(Student.objects.values_list("pk", flat=True)) == recent


def test_students_are_forgotten_thirty_days_after_their_deletion(lecture: Lecture) -> None:
    gone = student("가", deleted_days_ago=30)
    enrolled(gone, lecture, s1="PRESENT")
    stay = [student("나", deleted_days_ago=29.99), student("다")]
    enrolled(stay[0], lecture, s1="PRESENT")
    told = both(PURGE)
    assert [row["id"] for section in told["sections"] for row in section["gone"]] == [gone.pk]
    assert set(Student.objects.values_list("pk", flat=True)) == {each.pk for each in stay}
    assert (Enrollment.objects.count(), Attendance.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("command", "options", "verb"),
    [
        (CHECK, ["--dry-run"], "would"),
        (CHECK, ["--fix"], "done"),
        (PURGE, ["--dry-run"], "would"),
        (PURGE, [], "done"),
    ],
)
def test_people_read_whom_it_concerns_and_how_many_rows(
    lecture: Lecture, command: str, options: list[str], verb: str
) -> None:
    gone = student(deleted_days_ago=40)
    enrolled(gone, lecture, s1="PRESENT")
    student()
    out = StringIO()
    call_command(command, *options, stdout=out)
    assert f"delete student {gone.pk} of tenant 1: 홍길동 …5678, deleted 20" in out.getvalue()
    assert f"{verb}: delete attendance" in out.getvalue().splitlines()[-1]
    assert "01012345678" not in out.getvalue()


@pytest.mark.parametrize("options", [[], ["--dry-run", "--fix"]])
def test_a_check_without_one_choice_does_nothing(options: list[str]) -> None:
    student(deleted_days_ago=1)
    student()
    with pytest.raises(CommandError):
        call_command(CHECK, *options)
    assert Student.objects.count() == 2


@pytest.fixture
def diary(database: None) -> Iterator[None]:
    """A table that refers to students and that the commands do not know."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE diary (student_id bigint REFERENCES students)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE diary")


def test_a_row_that_was_not_listed_is_never_deleted_along(diary: None) -> None:
    gone = student(deleted_days_ago=40)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO diary VALUES (%s)", [gone.pk])
    before = rows()
    with pytest.raises(IntegrityError):
        call_command(PURGE, stdout=StringIO())
    assert rows() == before


def test_a_roster_that_is_being_enrolled_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = student(deleted_days_ago=40)
    from worker_images.api import student_changes

    monkeypatch.setattr(student_changes, "_WAIT", "'100ms'")
    with connected() as worker, worker.transaction():
        worker.execute("UPDATE students SET deleted_at = NULL WHERE id = %s", (gone.pk,))
        with pytest.raises(CommandError, match="again"):
            call_command(PURGE, stdout=StringIO())
    call_command(PURGE, stdout=StringIO())
    assert Student.objects.filter(pk=gone.pk, deleted_at=None).exists()


def test_both_ways_to_call_manage_py_work_in_the_images_layout(tmp_path: Path) -> None:
    copy = "COPY worker_images/api/manage.py /app/manage.py"
    assert copy in (ROOT / "worker_images/api/Dockerfile").read_text().splitlines()
    shutil.copy(ROOT / "worker_images/api/manage.py", tmp_path / "manage.py")
    for name in ("config", "worker_images"):
        (tmp_path / name).symlink_to(ROOT / name)
    student(deleted_days_ago=40)
    connections.close_all()
    for call in (["manage.py"], ["-m", "worker_images.api.manage"]):
        done = subprocess.run(
            [sys.executable, *call, PURGE, "--dry-run", "--json"],
            cwd=tmp_path,
            env={**ENVIRONMENT, "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout)["totals"]["delete students"] == 1

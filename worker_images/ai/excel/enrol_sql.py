"""The statements that enrol a roster: sets, never rows. Parameters are `pyformat`.

A student is known by name and both telephones. One who is there already stays as is; of several
deleted rows of one student, the one deleted last is restored, with the new password.
"""

from __future__ import annotations

#: Two rosters of a tenant at once would restore and create the same student against each other.
LOCK_TENANT = """
SELECT pg_advisory_xact_lock(hashtextextended('enrolment:' || %(tenant_id)s::text, 0))
"""

FIND_LECTURE = """
SELECT 1 FROM lectures WHERE id = %(lecture_id)s AND tenant_id = %(tenant_id)s FOR KEY SHARE
"""

FIND_SESSION = """
SELECT 1 FROM lecture_sessions
WHERE id = %(session_id)s AND lecture_id = %(lecture_id)s FOR KEY SHARE
"""

CREATE_ROSTER = """
CREATE TEMPORARY TABLE roster (
    row_number integer, name text, phone text, parent_phone text, school text, grade text
) ON COMMIT DROP
"""

COPY_ROSTER = "COPY roster FROM STDIN"

#: A student who stands in the roster twice counts with the first row.
CREATE_INCOMING = """
CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS
SELECT DISTINCT ON (name, phone, parent_phone) name, phone, parent_phone, school, grade
FROM roster ORDER BY name, phone, parent_phone, row_number
"""

ANALYZE_INCOMING = "ANALYZE incoming"

RESTORE_STUDENTS = """
WITH gone AS (
    SELECT DISTINCT ON (i.name, i.phone, i.parent_phone) d.id, i.school, i.grade
    FROM incoming i
    JOIN students d ON d.tenant_id = %(tenant_id)s AND d.deleted_at IS NOT NULL
        AND (d.name, d.phone, d.parent_phone) = (i.name, i.phone, i.parent_phone)
    WHERE NOT EXISTS (
        SELECT 1 FROM students s WHERE s.tenant_id = %(tenant_id)s AND s.deleted_at IS NULL
            AND (s.name, s.phone, s.parent_phone) = (i.name, i.phone, i.parent_phone)
    )
    ORDER BY i.name, i.phone, i.parent_phone, d.deleted_at DESC, d.id DESC
)
UPDATE students SET deleted_at = NULL, password = %(password)s, must_change_password = true,
    school = COALESCE(NULLIF(gone.school, ''), students.school),
    grade = COALESCE(NULLIF(gone.grade, ''), students.grade), updated_at = now()
FROM gone WHERE students.id = gone.id
"""

CREATE_STUDENTS = """
INSERT INTO students (tenant_id, name, phone, parent_phone, school, grade, password)
SELECT %(tenant_id)s, name, phone, parent_phone, school, grade, %(password)s FROM incoming
ON CONFLICT (tenant_id, name, phone, parent_phone) WHERE deleted_at IS NULL DO NOTHING
"""

ENROL = """
INSERT INTO enrollments (tenant_id, lecture_id, student_id)
SELECT %(tenant_id)s, %(lecture_id)s, s.id
FROM incoming i
JOIN students s ON s.tenant_id = %(tenant_id)s AND s.deleted_at IS NULL
    AND (s.name, s.phone, s.parent_phone) = (i.name, i.phone, i.parent_phone)
ON CONFLICT (lecture_id, student_id) DO NOTHING
"""

PLAN_ATTENDANCE = """
INSERT INTO attendance (session_id, enrollment_id)
SELECT %(session_id)s, e.id
FROM incoming i
JOIN students s ON s.tenant_id = %(tenant_id)s AND s.deleted_at IS NULL
    AND (s.name, s.phone, s.parent_phone) = (i.name, i.phone, i.parent_phone)
JOIN enrollments e ON e.lecture_id = %(lecture_id)s AND e.student_id = s.id
ON CONFLICT (session_id, enrollment_id) DO NOTHING
"""

#: Written together with what it tells of, so that an attempt after a crash finds it.
RECORDED_OUTCOME = "SELECT result FROM ai_jobs WHERE id = %(job_id)s"
RECORD_OUTCOME = "UPDATE ai_jobs SET result = %(outcome)s::jsonb WHERE id = %(job_id)s"

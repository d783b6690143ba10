"""What is exported. Parameters are `pyformat`; rows come in the order in which they are written."""

from __future__ import annotations

LECTURE = "SELECT title FROM lectures WHERE id = %(lecture_id)s AND tenant_id = %(tenant_id)s"

SESSIONS = """
SELECT id, position, title, held_on FROM lecture_sessions
WHERE lecture_id = %(lecture_id)s ORDER BY position
"""

#: A row a student who is not deleted; `states` has an entry a session, in their order.
ATTENDANCE = """
SELECT s.name, s.school, s.grade, s.phone, s.parent_phone,
    ARRAY(SELECT a.state FROM lecture_sessions l
          LEFT JOIN attendance a ON a.session_id = l.id AND a.enrollment_id = e.id
          WHERE l.lecture_id = %(lecture_id)s ORDER BY l.position)
FROM enrollments e JOIN students s ON s.id = e.student_id
WHERE e.lecture_id = %(lecture_id)s AND e.tenant_id = %(tenant_id)s AND s.deleted_at IS NULL
ORDER BY s.name, s.id
"""

STAFF = """
SELECT name, role, phone, joined_on, left_on FROM staff_members
WHERE tenant_id = %(tenant_id)s ORDER BY name, id
"""

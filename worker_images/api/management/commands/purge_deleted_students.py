"""`purge_deleted_students [--dry-run]`: forget students who were deleted 30 days ago or earlier."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from worker_images.api.management.student_command import StudentCommand
from worker_images.api.student_purge import find_forgotten


class Command(StudentCommand):
    help = (
        "Delete students who were soft-deleted at least 30 days ago, with their enrolments and "
        "attendance, for good. Lists them first; with --dry-run it does no more than that."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="list, delete nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        self.carry_out(find_forgotten, dry_run=options["dry_run"], as_json=options["json"])

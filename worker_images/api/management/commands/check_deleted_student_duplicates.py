"""`check_deleted_student_duplicates --dry-run | --fix`: one row a student."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from worker_images.api.management.student_command import StudentCommand
from worker_images.api.student_duplicates import find_duplicates


class Command(StudentCommand):
    help = (
        "Find soft-deleted students who stand in the table once more, deleted or not. --fix leaves "
        "the row that is not deleted, else the one deleted last, and gives it what the others had."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        choice = parser.add_mutually_exclusive_group(required=True)
        choice.add_argument("--dry-run", action="store_true", help="list, change nothing")
        choice.add_argument("--fix", action="store_true", help="list, then change it")

    def handle(self, *args: Any, **options: Any) -> None:
        self.carry_out(find_duplicates, dry_run=options["dry_run"], as_json=options["json"])

"""What the commands on students have in common: what they list and what they do is one plan."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError

from worker_images.api.student_changes import (
    Change,
    Section,
    make,
    nobody_else_writes,
    only_reading,
    totals,
)


class StudentCommand(BaseCommand):
    """Lists the rows that a plan changes, and changes these unless it is a dry run."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object, every row")

    def carry_out(self, find: Callable[[], list[Section]], *, dry_run: bool, as_json: bool) -> None:
        """Show the plan that `find` returns, make it unless it is a dry run, and say what it is.

        The plan that is made is found anew while nobody else writes. Raises: CommandError when
        the tables cannot be had.
        """
        try:
            with only_reading() if dry_run else nobody_else_writes():
                sections = find()
                changes = [change for section in sections for change in section.changes]
                if not as_json:
                    self._show(sections)
                if not dry_run:
                    make(changes)
        except OperationalError as error:
            raise CommandError(f"nothing was changed, try again: {error}") from error
        counted = totals(changes)
        if as_json:
            told = {"dry_run": dry_run, "sections": list(map(asdict, sections)), "totals": counted}
            self.stdout.write(json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False))
        else:
            self.stdout.write(f"{'would' if dry_run else 'done'}: {_counts(counted)}")

    def _show(self, sections: Iterable[Section]) -> None:
        for section in sections:
            if section.kept:
                self.stdout.write(f"keep   {section.kept}")
            for row in section.gone:
                self.stdout.write(f"delete {row}")
            self.stdout.write(f"       {_counts(_nonzero(section.changes))}")


def _nonzero(changes: Iterable[Change]) -> dict[str, int]:
    return {name: count for name, count in totals(changes).items() if count}


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counted.items())

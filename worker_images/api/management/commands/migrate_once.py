"""`migrate_once --release TAG`: every container may call it, one of them migrates."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from worker_images.api.releases import migrate_once


class Command(BaseCommand):
    help = "Run the migrations unless this release has already run them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--release", required=True, help="the image tag that is starting")

    def handle(self, *args: Any, **options: Any) -> None:
        tag = options["release"]
        migrated = migrate_once(
            tag, lambda: call_command("migrate", interactive=False, verbosity=1)
        )
        outcome = "migrated" if migrated else "had migrated before"
        self.stdout.write(f"release {tag}: {outcome}")

"""`python -m worker_images.api.manage <command>`, and `python manage.py <command>` in the image."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from worker_images.base.errors import ConfigurationError


def main() -> None:
    """Run one management command with the API's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "worker_images.api.settings")
    try:
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.exit(f"academy-api: {error}")


if __name__ == "__main__":
    main()

"""The one Django application."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Owns the tables of models.py; its label is `api`."""

    name = "worker_images.api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"

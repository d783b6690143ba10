"""Where a database or a cache answers, made here or not."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_secretsmanager as secretsmanager

#: Why stores stay on the port that everybody knows.
DEFAULT_PORT = "Security groups admit the API and the workers alone, and they know the port anyway"


@dataclass(frozen=True)
class Address:
    """Where a store answers. `credentials` holds `username` and `password`, or `password` alone."""

    host: str
    port: str
    credentials: secretsmanager.ISecret | None

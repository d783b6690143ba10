"""What is done inside a PostgreSQL server, as its own superuser: master user and database."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from local.hosts.ports import LOOPBACK

#: Our superuser; RDS's master user is less than that.
OWNER = "academy_host"


@dataclass(frozen=True)
class Place:
    """A server's home. `password` is that of our own superuser, whom nobody else knows."""

    port: int
    password: str


def connect(place: Place, database: str) -> psycopg.Connection[tuple[object, ...]]:
    """Return a session of our superuser, each statement its own transaction."""
    return psycopg.connect(
        host=LOOPBACK,
        port=place.port,
        user=OWNER,
        password=place.password,
        dbname=database,
        connect_timeout=5,
        autocommit=True,
    )


def settle(
    connection: psycopg.Connection[tuple[object, ...]], user: str, password: str, database: str
) -> None:
    """Give the server its master user (RDS's rights: roles and databases) and its database."""
    name = sql.Identifier(database)
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,)).fetchone()
    role = sql.Identifier(user)
    if not known:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE").format(role))
    set_password(connection, user, password)
    exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
    if not exists.fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))


def set_password(
    connection: psycopg.Connection[tuple[object, ...]], user: str, password: str
) -> None:
    """Change a role's password."""
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(user), sql.Literal(password)))

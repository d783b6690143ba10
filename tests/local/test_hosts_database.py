"""RDS instances are real PostgreSQL servers, as root, as a plain user, in closed directories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local.hosts.database import BINARIES, PostgresServers
from local.hosts.unprivileged import CAPABILITY, NAMESPACE, closed_above, unprivileged
from local.supervisor import Supervisor

FIRST = "first"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root must become somebody else")
#: access(2) of uid 65534 knows no capability.
OPEN_CHECKOUT = pytest.mark.skipif(
    closed_above(BINARIES / "postgres") is not None,
    reason="other users may not enter this checkout, and PostgreSQL's programs lie in it",
)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor whose children end with the test."""
    found = Supervisor(tmp_path)
    yield found
    found.stop_all()


def ask(address, password, statement, *, user="academy", database="lectures"):
    """Run one statement as the master user over TCP."""
    with psycopg.connect(
        host=address.host, port=address.port, user=user, password=password, dbname=database,
        autocommit=True, connect_timeout=5,
    ) as connection:  # fmt: skip
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def ensure(servers, password=FIRST):
    """Ask for the one database of these tests."""
    return servers.ensure("main-db", user="academy", password=password, db_name="lectures")


def test_data_outlives_a_restart_and_a_changed_password_is_applied(tmp_path, supervisor):
    address = ensure(PostgresServers(tmp_path, supervisor))
    ask(address, "first", "CREATE TABLE t AS SELECT 42 AS answer")
    supervisor.stop_all()

    again = ensure(PostgresServers(tmp_path, supervisor), password='it\'s "second"')
    assert again == address
    assert ask(again, 'it\'s "second"', "SELECT answer FROM t") == [(42,)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(again, "first", "SELECT 1")


def test_the_server_is_postgresql_16_and_its_master_is_no_superuser(tmp_path, supervisor):
    address = ensure(PostgresServers(tmp_path, supervisor))
    ((version,),) = ask(address, "first", "SHOW server_version")
    assert version.startswith("16.")
    rights = "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = USER"
    assert ask(address, "first", rights) == [(False, True)]


def test_a_killed_server_comes_back_with_its_data(tmp_path, supervisor):
    servers = PostgresServers(tmp_path, supervisor)
    address = ensure(servers)
    ask(address, "first", "SET synchronous_commit = on; CREATE TABLE t AS SELECT 1 AS a")
    (child,) = supervisor.running()
    child.process.kill()
    child.process.wait()
    assert ask(ensure(servers), "first", "SELECT a FROM t") == [(1,)]


def test_an_ensured_server_is_reused_and_a_removed_one_is_gone(tmp_path, supervisor):
    servers = PostgresServers(tmp_path, supervisor)
    address = ensure(servers)
    (child,) = supervisor.running()
    assert ensure(servers) == address
    assert [one.pid for one in supervisor.running()] == [child.pid]
    servers.remove("main-db")
    assert supervisor.running() == []
    assert not (tmp_path / "databases" / "main-db").exists()
    servers.remove("main-db")


def test_an_identifier_that_is_a_path_is_refused(tmp_path, supervisor):
    with pytest.raises(ValueError, match=r"\.\./x"):
        PostgresServers(tmp_path, supervisor).ensure("../x", user="u", password="p", db_name="d")


@AS_ROOT
@pytest.mark.parametrize(
    "mode", [NAMESPACE, pytest.param(CAPABILITY, marks=OPEN_CHECKOUT)], ids=["unshare", "setpriv"]
)
def test_root_runs_it_below_a_directory_that_only_root_enters(tmp_path, supervisor, mode):
    if unprivileged(BINARIES / "postgres", tmp_path) != mode and mode == NAMESPACE:
        pytest.skip("this machine forbids user namespaces")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    address = ensure(PostgresServers(closed, supervisor, mode=mode))
    assert ask(address, "first", "SELECT 1") == [(1,)]


@AS_ROOT
@OPEN_CHECKOUT
def test_data_made_in_one_way_is_served_in_the_other(tmp_path, supervisor):
    for mode in (CAPABILITY, NAMESPACE, CAPABILITY):
        address = ensure(PostgresServers(tmp_path, supervisor, mode=mode))
        assert ask(address, "first", "SELECT 1") == [(1,)]
        supervisor.stop_all()


@AS_ROOT
@OPEN_CHECKOUT
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_a_plain_user_runs_it_in_a_directory_of_their_own(tmp_path_factory):
    program = (
        "import sys; from pathlib import Path\n"
        "from local.supervisor import Supervisor\n"
        "from local.hosts.database import PostgresServers\n"
        "here = Path(sys.argv[1]); supervisor = Supervisor(here)\n"
        "try:\n"
        "    print(PostgresServers(here, supervisor).ensure("
        "'db', user='u', password='p', db_name='d').port)\n"
        "finally:\n"
        "    supervisor.stop_all()\n"
    )
    here = Path("/tmp") / f"academy-plain-user-{os.getpid()}"
    here.mkdir(mode=0o700)
    os.chown(here, 65534, 65534)
    try:
        answer = subprocess.run(
            # dac_override: the interpreter may lie below a home that other users cannot enter
            [*CAPABILITY.prefix, sys.executable, "-B", "-c", program, str(here)],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(here)},
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        assert int(answer.stdout) > 0
    finally:
        shutil.rmtree(here)


def test_the_directory_that_others_may_not_enter_is_named(tmp_path):
    closed = tmp_path / "closed"
    (closed / "bin").mkdir(parents=True)
    closed.chmod(0o700)
    assert closed_above(closed / "bin" / "postgres") == closed

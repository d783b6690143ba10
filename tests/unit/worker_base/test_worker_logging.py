"""Log lines are JSON for machines, and hold no secret, whatever carried it there."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from worker_images.base.logging import bound, configure, logger

SECRETS = ('p"w\\한글-1', "internal-token-2", "r2-secret-3")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_logged(kind: type[io.StringIO], secret: str) -> None:
    stream = kind()
    configure(secrets=SECRETS, stream=stream)
    log = logger("test")
    log.info(
        f"event {secret}",
        field=secret,
        nested={"deep": [secret, ValueError(secret)]},
        error=ValueError(secret),
    )
    with bound(context=secret):
        try:
            raise RuntimeError(f"password={secret} refused")
        except RuntimeError:
            log.error("raised", exc_info=True)
    logging.getLogger("botocore.auth").warning("signed with %s", secret)
    written = stream.getvalue()
    assert "[redacted]" in written
    assert secret not in written
    assert json.dumps(secret)[1:-1] not in written
    assert repr(secret)[1:-1] not in written


def test_a_line_is_json_with_its_fields_and_its_context() -> None:
    stream = io.StringIO()
    configure(secrets=(), stream=stream)
    with bound(job_id="j1"):
        logger("test").info("job started", attempt=2)
    logger("test").info("outside")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["job_id"], first["attempt"]) == ("job started", "j1", 2)
    assert first["time"].endswith("+00:00")
    assert "job_id" not in second


def test_a_terminal_gets_a_readable_line() -> None:
    stream = Terminal()
    configure(secrets=(), stream=stream)
    logger("test").warning("odd", count=3)
    assert "WARNING odd count=3" in stream.getvalue()

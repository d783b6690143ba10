"""Log lines of an event and its fields: JSON for CloudWatch, readable at a terminal.

    log = logger("consumer")
    log.info("message received", queue="academy-video-jobs")

Fields bound by `bound(job_id=...)` are on every line of that thread until the block ends.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

_ROOT = "academy"
_REDACTED = "[redacted]"
#: Below this a value is too common a word to be replaced everywhere ("on", "root").
_SHORTEST_SECRET = 4
_context: ContextVar[dict[str, Any] | None] = ContextVar("log_context", default=None)


class Logger:
    """A named source of events."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"{_ROOT}.{name}")

    def info(self, event: str, **fields: object) -> None:
        """Something happened as it should."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something is odd, and dealt with."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, *, exc_info: bool = False, **fields: object) -> None:
        """Somebody has to look; `exc_info` adds the traceback of the current exception."""
        self._write(logging.ERROR, event, fields, exc_info=exc_info)

    def _write(
        self, level: int, event: str, fields: dict[str, object], *, exc_info: bool = False
    ) -> None:
        extra = {"fields": {**(_context.get() or {}), **fields}}
        self._logger.log(level, event, extra=extra, exc_info=exc_info)


def logger(name: str) -> Logger:
    """Return the logger of a module, by its short name."""
    return Logger(name)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Put `fields` on every line that is logged inside the block, in this thread."""
    token = _context.set({**(_context.get() or {}), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def hide(secret: str) -> None:
    """Replace one more secret in every line from now on: one that came after the start."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _Redacting):
            handler.formatter.hide([secret])


def configure(*, secrets: Iterable[str], stream: TextIO = sys.stderr) -> None:
    """Send every log line of the process to `stream`, with `secrets` replaced wherever they stand.

    Lines of libraries appear from WARNING on, ours from INFO on.
    """
    handler = logging.StreamHandler(stream)
    formatter = _Readable if stream.isatty() else _Json
    handler.setFormatter(_Redacting(formatter(), secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_ROOT).setLevel(logging.INFO)


class _Redacting(logging.Formatter):
    """Replaces secrets in what another formatter made, tracebacks included."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets: list[str] = []
        self.hide(secrets)

    def hide(self, secrets: Iterable[str]) -> None:
        kept = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
        spelled = {spelling for secret in kept for spelling in _spellings(secret)}
        self._secrets = sorted({*self._secrets, *spelled}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        line = self._inner.format(record)
        for secret in self._secrets:
            line = line.replace(secret, _REDACTED)
        return line


def _spellings(secret: str) -> set[str]:
    """Return a secret as it may stand in a line: plain, in a repr, and either of them in JSON."""
    plain = {secret, repr(secret)[1:-1]}
    return plain | {
        json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        for text in plain
        for ascii_only in (True, False)
    }


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _utc(record),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class _Readable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {k}={v}" for k, v in getattr(record, "fields", {}).items())
        line = f"{_utc(record)} {record.levelname:<7} {record.getMessage()}{fields}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _utc(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, tz=UTC)
    return moment.isoformat(timespec="milliseconds")

"""How work ends other than well. The class decides what the runner does with the message.

The names say that decision, so they carry no `Error` suffix.
"""

from __future__ import annotations


class WorkerError(Exception):
    """Base of what a handler may raise on purpose.

    `code` is a stable upper-case word for programs, `message` a sentence for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Retryable(WorkerError):  # noqa: N818
    """The same work may succeed later: the attempt counts and the message comes back."""


class Permanent(WorkerError):  # noqa: N818
    """No retry can help. `message` is shown to the teacher, in Korean."""


class BadInput(Permanent):
    """The job itself is wrong: a type, a tier or a payload that nobody accepts."""


class Ambiguous(Permanent):
    """What was begun may have happened: it is never tried again, and not called a failure."""


class TimedOut(Retryable):
    """The job ran longer than its time limit."""


class Hung(Retryable):
    """The job reported no progress for its hang limit."""


class HandedBack(WorkerError):  # noqa: N818
    """The work stops here, through no fault of its own: it costs no attempt.

    Another worker takes it up at once, or after `delay_s` where the world has to get better first
    (a provider that is down).
    """

    def __init__(self, code: str, message: str, *, delay_s: float = 0.0) -> None:
        super().__init__(code, message)
        self.delay_s = delay_s


class LostClaim(WorkerError):  # noqa: N818
    """Another worker holds the job now; nothing more may be written for it."""


class ConfigurationError(Exception):
    """The process cannot start as configured; the message names what is missing or wrong."""

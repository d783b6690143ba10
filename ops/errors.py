"""What stops a command: one line that an operator can act on."""

from __future__ import annotations


class OperatorError(Exception):
    """A command cannot go on. `hint` says where to look or what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(OperatorError):
    """The command line asks for something that cannot be, or leaves out what is needed."""

    exit_code = 2

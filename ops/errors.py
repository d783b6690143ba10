"""What stops a command: one line that an operator can act on."""

from __future__ import annotations


class OperatorError(Exception):
    """A command cannot go on. `hint` says where to look or what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

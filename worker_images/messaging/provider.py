"""The port to a provider of texts: what it is handed, and the ways in which it may answer.

`Sent`, `NotSent` and `Refused` are certain. Whatever else happens once a request is under way is
`worker_images.base.errors.Ambiguous`: the text may have gone out, or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from config.contracts.carrier_text import TextKind, check_alimtalk, kind_of, tidy
from worker_images.base.errors import Permanent, Retryable

#: The channel of what went out as an Alimtalk; a `TextKind` otherwise.
ALIMTALK = "ALIMTALK"


@dataclass(frozen=True)
class Outgoing:
    """One text to one number. `text_id` is ours, and shown in the provider's console where it can.

    With a `template_id` it goes out as an Alimtalk, and `failover` lets the provider deliver the
    text as SMS or LMS where the Alimtalk cannot be delivered. `text` is filled in already.
    """

    text_id: str
    to: str = field(repr=False)
    sender: str
    text: str = field(repr=False)
    template_id: str = ""
    replacements: Mapping[str, str] = field(default_factory=dict, repr=False)
    failover: bool = False

    @property
    def carrier_text(self) -> str:
        """The text as SMS or LMS; an Alimtalk's has to be its template's, to the letter."""
        return tidy(self.text)

    @property
    def kind(self) -> TextKind:
        """What it is sent as where it is no Alimtalk. Raises: Unsendable."""
        return kind_of(self.carrier_text)

    def check(self) -> None:
        """Raise Unsendable for what neither Kakao nor a carrier takes."""
        if self.template_id:
            check_alimtalk(self.text)
        if self.failover or not self.template_id:
            kind_of(self.carrier_text)


@dataclass(frozen=True)
class Sent:
    """The provider took the text. `reference` is its own id, `channel` a TextKind or ALIMTALK."""

    reference: str
    channel: str


class NotSent(Retryable):
    """Certain: nothing went out, and the text is not why. The provider, the way to it, or our
    account with it is out of order; the same text may go out later.
    """


class Throttled(NotSent):
    """Certain: nothing went out, because too much went out just before."""


class Refused(Permanent):
    """Certain: nothing went out, and nothing ever will with this text, number or template."""


class Provider(Protocol):
    """A company that sends texts."""

    name: str

    def send(self, text: Outgoing) -> Sent:
        """Hand a text over, once. Raises: NotSent, Throttled, Refused or Ambiguous."""
        ...

    def ask(self) -> None:
        """Ask for the account's balance, which sends nothing. Raises: NotSent unless answered."""
        ...

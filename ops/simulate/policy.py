"""What a scaling policy is shown and may do: ours and the peers' rules meet the same fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class View:
    """A fleet at one moment, as its metrics show it then.

    `waiting` jobs lie visible in the queue and `running` ones are in flight. `desired` includes
    instances that boot. `mean_job_s` is the mean of the latest jobs, None before the first.
    """

    now_s: float
    waiting: int
    running: int
    desired: int
    minimum: int
    maximum: int
    booting: int
    in_service: int
    draining: int
    mean_job_s: float | None


class Policy(Protocol):
    """Asked every `every_s` seconds for the desired capacity; it may keep what it was shown.

    With `protected` no busy worker is ended by a smaller capacity. Workers that find nothing for
    `idle_s` end themselves and their place, None: they stay until the policy takes them away.
    """

    name: str
    every_s: float
    protected: bool
    idle_s: float | None

    def decide(self, view: View) -> int | None:
        """Return the desired capacity to set, None to leave it."""
        ...

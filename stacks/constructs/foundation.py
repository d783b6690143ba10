"""What the API, the workers and the scaling stand on, handed to them as one object."""

from __future__ import annotations

from dataclasses import dataclass

from stacks.constructs.buckets import ObjectStorage
from stacks.constructs.job_queue import JobQueue
from stacks.constructs.parameters import EnvironmentParameters
from stacks.constructs.private_network import PrivateNetwork


@dataclass(frozen=True)
class Foundation:
    """Network with its firewall, queues by key, buckets, and the environments of both roles.

    `kind_environments` holds what one worker kind alone is told.
    """

    network: PrivateNetwork
    job_queues: dict[str, JobQueue]
    objects: ObjectStorage
    api_environment: EnvironmentParameters
    worker_environment: EnvironmentParameters
    kind_environments: dict[str, EnvironmentParameters]

    def worker_environments(self, kind: str) -> list[EnvironmentParameters]:
        """Return what a worker kind is told: what all are, and what it alone is."""
        own = self.kind_environments.get(kind)
        return [self.worker_environment, *([own] if own else [])]

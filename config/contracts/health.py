"""What `GET /health` answers, and what the canary makes of it: metrics, and its own answer.

The canary, invoked with any event, returns `Answer` as a JSON object.
"""

from __future__ import annotations

from typing import TypedDict

NAMESPACE = "Academy/Health"
#: 1 or 0, and the milliseconds that the answer took, under the dimension `Environment`.
UP = "Up"
LATENCY = "Latency"
#: 1 or 0 under the dimensions `Environment` and `Dependency`; nothing when /health did not tell.
DEPENDENCY_UP = "DependencyUp"

#: A field of /health: `configuration_digest` of what the answering container was started with,
#: None where it does not know (ECS reads the values itself).
CONFIGURATION = "configuration"
#: Fields of /health; each is OK or FAILED. 200 when all are OK, else 503.
DEPENDENCIES = ("database", "redis", "storage", "queue")
OK = "ok"
FAILED = "failed"

#: Where a request can fail, in its order. `http`: a status that is not 200; `answer`: no such JSON.
HOPS = ("dns", "connect", "tls", "time-out", "http", "answer")


class Answer(TypedDict):
    """What the canary found. `up` is 200 with every dependency OK, within the time-out.

    `hop` is None when up, else one of HOPS with its `reason`; `status` None without an answer;
    `failed` names the dependencies that /health reported as failed.
    """

    up: bool
    url: str
    latency_ms: float
    status: int | None
    hop: str | None
    reason: str | None
    failed: list[str]

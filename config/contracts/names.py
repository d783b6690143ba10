"""Physical names that operators' commands and the running application depend on."""

from __future__ import annotations

PREFIX = "academy"
REGION = "ap-northeast-2"

#: Environments whose resources carry the bare documented names.
BARE_ENVIRONMENTS = frozenset({"prod", "local"})

IMAGES = {
    "base": "academy-base",
    "api": "academy-api",
    "video": "academy-video-worker",
    "ai": "academy-ai-worker",
    "messaging": "academy-messaging-worker",
}
API_PORT = 8000
API_CONTAINER = "academy-api"
API_ENV_FILE = "/home/ec2-user/.env"


def physical_name(environment: str, name: str) -> str:
    """Return the name of a contract resource in an environment.

    `name` is the bare documented name (`academy-video-jobs`). `prod` and `local` keep it;
    any other environment puts its own name after the prefix (`academy-dev-video-jobs`).

    Raises: ValueError when `name` does not start with the prefix.
    """
    if not name.startswith(f"{PREFIX}-"):
        raise ValueError(f"{name!r} is no contract name: it must start with '{PREFIX}-'")
    if environment in BARE_ENVIRONMENTS:
        return name
    return f"{PREFIX}-{environment}-{name.removeprefix(f'{PREFIX}-')}"


def worker_group_name(environment: str, kind: str) -> str:
    """Return the Auto Scaling group's name of a worker kind (`video`, `ai`, `messaging`)."""
    return physical_name(environment, f"{PREFIX}-{kind}-worker-asg")


METRIC_FUNCTION = "academy-worker-queue-depth-metric"
METRIC_RULE = "academy-worker-queue-depth-rate"


def released_tag_prefix(environment: str) -> str:
    """Return how tags begin that a deploy adds to the images it released: those are kept longer.

    `<prefix><image tag>`, such as `released-prod-0123abc4567d`.
    """
    return f"released-{environment}-"

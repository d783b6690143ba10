"""What the settings say about where stacks go, in the form that constructs take."""

from __future__ import annotations

from config.settings import Settings
from stacks.constructs.platform_stack import Place


def place_of(settings: Settings, image_tag: str) -> Place:
    """Return where an environment's stacks go; `image_tag` names the images that they run."""
    return Place(
        environment=settings.environment,
        account=settings.aws.account_id,
        region=settings.aws.region,
        image_tag=image_tag,
        keep_data=settings.protect_data,
        log_retention_days=settings.log_retention_days,
    )

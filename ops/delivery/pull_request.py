"""What a deploy would change and cost, as a comment on a pull request."""

from __future__ import annotations

from config.settings import Settings
from ops.changes import Cost, Templates, compare, summarise
from ops.checks import upgrade
from ops.cost import estimate, load_prices, load_usage
from ops.releases.assemblies import Assembly


def summary(settings: Settings, wanted: Assembly) -> str:
    """Return the Markdown of what a deploy of an assembly changes in what runs. Asks AWS."""
    before = upgrade.running(settings, wanted.stacks)
    after = {**before, **wanted.templates()}
    environment = settings.environment
    cost = Cost(_monthly_usd(settings, before), _monthly_usd(settings, after), _note(settings))
    return summarise({environment: compare(before, after)}, {environment: cost})


def _monthly_usd(settings: Settings, templates: Templates) -> float:
    usage = load_usage(settings.environment, settings.users_per_day)
    return estimate(templates, usage, load_prices()).total_usd


def _note(settings: Settings) -> str:
    return f"{settings.users_per_day:,} users a day"

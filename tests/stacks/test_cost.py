"""What the environments cost: every type is known, and prod's platform is within its targets."""

from __future__ import annotations

from typing import Any

import pytest

from config.settings import load_settings
from ops.cost import Estimate, estimate, load_prices, load_usage
from ops.cost.catalog import FREE, PRICED
from tests.conftest import Templates, synthesize

TARGETS = {500: 108, 10000: 420}


def _estimate(environment: str, size: int, templates: Templates) -> Estimate:
    named = {f"academy-{environment}-{role}": body for role, body in templates.items()}
    return estimate(named, load_usage(environment, size), load_prices())


@pytest.fixture(scope="module", params=sorted(TARGETS))
def prod_of(request: Any, tmp_path_factory: Any) -> tuple[int, Estimate]:
    """Prod at each of its two sizes."""
    size = int(request.param)
    settings = load_settings("prod", users_per_day=size)
    templates = synthesize(settings, tmp_path_factory.mktemp(f"prod-{size}"))
    return size, _estimate("prod", size, templates)


def test_every_resource_of_every_environment_is_priced_or_free(
    environment: str, templates: Templates
) -> None:
    types = {each["Type"] for body in templates.values() for each in body["Resources"].values()}
    assert not types - {*PRICED, *FREE}
    size = load_settings(environment).users_per_day
    assert _estimate(environment, size, templates).total_usd > 0


def test_no_type_is_both_priced_and_free() -> None:
    assert not PRICED.keys() & FREE.keys()


def test_prods_platform_is_within_the_documents_low_end(prod_of: tuple[int, Estimate]) -> None:
    size, bill = prod_of
    assert bill.target_usd == TARGETS[size]
    assert bill.platform_usd <= TARGETS[size], f"{bill.platform_usd:.2f} above {TARGETS[size]}"


def test_prod_shows_what_lectures_add(prod_of: tuple[int, Estimate]) -> None:
    """Encoding, upload to R2 and storage are in the total: a target met without them says so."""
    _, bill = prod_of
    lectures = {item.price for item in bill.items if item.part == "lectures"}
    assert {"internet.out", "r2.gb", "r2.writes", "r2.reads"} == lectures
    assert bill.total_usd == pytest.approx(bill.platform_usd + bill.lectures_usd)
    assert bill.lectures_usd > 50


def test_prod_pays_for_what_it_is_required_to_have(prod_of: tuple[int, Estimate]) -> None:
    """A bill within its target because something was left out is no bill."""
    size, bill = prod_of
    parts = {item.part for item in bill.items if item.monthly_usd}
    assert parts >= {"API", "database", "Redis", "load balancer", "WAF", "alarms", "secrets"}
    prices = {item.price for item in bill.items}
    assert any(each.startswith("rds.multi.") for each in prices) == (size == 10000)

"""The files that a bill is made from, and the forms that it is shown in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from typer.testing import CliRunner

from ops.cli import app
from ops.cost import command, estimate, load_prices, load_usage
from ops.cost.model import Estimate, Item
from ops.cost.prices import PRICES, REGION
from ops.cost.usage import USAGE, WorkerUse, read_usage
from ops.cost.view import Bill, as_json, markdown
from ops.cost.ways import ways

TABLE = PRICES / f"{REGION}.yaml"


def _changed(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    content = yaml.safe_load(TABLE.read_text("utf-8"))
    change(content)
    path = tmp_path / "prices.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    return path


def test_every_price_has_a_dated_source() -> None:
    prices = load_prices()
    assert prices.region == REGION
    for key, price in prices.prices.items():
        source = prices.sources[price.source]
        assert source.url.startswith("https://"), key
        assert source.as_of <= prices.as_of, f"{key}: the table is older than its source"
    assert {price.source for price in prices.prices.values()} <= prices.sources.keys()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c["prices"]["secret"].pop("source"), "prices.secret.source"),
        (lambda c: c["prices"]["secret"].update(source="hearsay"), "hearsay"),
        (lambda c: c["prices"]["secret"].update(usd=0), "prices.secret.usd"),
        (lambda c: c["prices"]["secret"].update(eur=1), "prices.secret.eur"),
        (lambda c: c["sources"]["kms"].pop("as_of"), "sources.kms.as_of"),
        (lambda c: c["sources"]["kms"].update(url="a friend"), "sources.kms.url"),
        (lambda c: c.pop("as_of"), "as_of"),
    ],
)
def test_a_price_without_its_due_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], named: str
) -> None:
    with pytest.raises(ValidationError, match=named):
        load_prices(_changed(tmp_path, change))


@pytest.mark.parametrize("path", sorted(USAGE.glob("*.yaml")), ids=lambda path: path.stem)
def test_usage_is_consistent_with_itself(path: Path) -> None:
    usage = read_usage(path)
    lectures, video = usage.lectures, usage.workers["video"]
    assert video.jobs_a_day == lectures.a_day
    assert video.job_s == pytest.approx(lectures.minutes * 60 / lectures.encode_speed, rel=0.01)
    assert lectures.stored_mbps < lectures.stored_mbps_at_bitrates


@pytest.mark.parametrize(("size", "uploads"), [(500, 20), (10000, 400)])
def test_prod_is_used_as_the_simulated_weeks_are(size: int, uploads: int) -> None:
    usage = load_usage("prod", size)
    assert (usage.users_a_day, usage.lectures.a_day) == (size, uploads)
    assert load_usage("staging", size) == load_usage("dev", size)


@pytest.mark.parametrize(
    ("jobs", "job_s", "jobs_a_start", "hours"),
    [(0, 10, 1, 0), (1, 3390, 1, 1), (10, 339, 10, 1), (20, 857, 1, 5.9277778)],
)
def test_a_fleet_works_its_jobs_and_its_starts(
    jobs: float, job_s: float, jobs_a_start: float, hours: float
) -> None:
    use = WorkerUse(jobs_a_day=jobs, job_s=job_s, jobs_a_start=jobs_a_start, hours_with_jobs=12)
    assert use.hours_a_day == pytest.approx(hours)


def test_ways_for_the_lectures_count_the_free_amounts() -> None:
    """400 lectures of 20 minutes at 4 Mbit/s are 240 GB a day, beside 8 GB of answers."""
    days = 730 / 24
    found = {each.name: each for each in ways(load_usage("prod", 10000), load_prices())}
    r2 = found["R2, by quality"]
    assert r2.out_usd == pytest.approx((240 * days + 8 * days - 100) * 0.126)
    assert r2.kept_usd == pytest.approx((240 * days - 10) * 0.015)
    assert found["R2, encoded outside AWS"].kept_usd == r2.kept_usd


def _item(part: str, usd: float) -> Item:
    return Item(part, "alarm", usd * 10, "alarm", 0, 0.10, 1.0, usd, ("stack/A",))


def _bill(platform: float, lectures: float, target: float | None) -> Bill:
    items = (_item("alarms", platform), _item("lectures", lectures))
    made = Estimate(items, target)
    return Bill("prod", 500, made, load_usage("prod", 500), load_prices())


@pytest.mark.parametrize(
    ("platform", "lectures", "said"),
    [
        (108, 0, ["within the target of 108: headroom 0.00", "within the target of 108"]),
        (100, 50, ["headroom 8.00", "With its lectures it is 42.00 above the target of 108"]),
        (109, 1, ["The platform is 1.00 above", "With its lectures it is 2.00 above"]),
    ],
)
def test_both_sums_are_held_against_the_target(
    platform: float, lectures: float, said: list[str]
) -> None:
    sums, *verdicts = _bill(platform, lectures, 108).verdict()
    assert f"= {platform + lectures:.2f}." in sums
    for sentence, part in zip(verdicts, said, strict=True):
        assert part in sentence


def test_an_environment_without_a_target_has_no_verdict() -> None:
    assert len(_bill(500, 0, None).verdict()) == 1


def test_markdown_is_one_table_with_every_item() -> None:
    text = markdown(_bill(100, 50, 108))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 2
    assert {line.count("|") for line in lines} == {7}
    assert "| alarms | alarm | 1,000 alarm | 0.1 | 100.00 | 67% |" in lines


def test_json_holds_every_item_with_its_sources() -> None:
    found = json.loads(json.dumps(as_json(_bill(100, 50, 108))))
    assert (found["total_usd"], found["platform_usd"], found["target_usd"]) == (150, 100, 108)
    assert (found["region"], found["currency"]) == (REGION, "USD")
    assert found["prices_as_of"] == load_prices().as_of.isoformat()
    assert found["items"][0] == {
        "part": "alarms",
        "price": "alarm",
        "quantity": 1000,
        "unit": "alarm",
        "free": 0,
        "unit_usd": 0.1,
        "share": 1,
        "monthly_usd": 100,
        "sources": ["stack/A"],
    }


@pytest.mark.parametrize(
    ("arguments", "platform", "code"),
    [([], 109, 0), (["--check"], 108, 0), (["--check"], 109, 1)],
)
def test_cost_exits_1_above_the_target_when_asked_to_check(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], platform: float, code: int
) -> None:
    monkeypatch.setattr(command, "bill", lambda *_: _bill(platform, 50, 108))
    assert CliRunner().invoke(app, ["cost", "prod", *arguments]).exit_code == code


def test_prod_is_shown_at_both_sizes_and_any_other_at_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, int]] = []

    def bill(environment: str, size: int) -> Bill:
        asked.append((environment, size))
        return _bill(1, 1, None)

    monkeypatch.setattr(command, "bill", bill)
    for arguments in (["prod"], ["dev"], ["prod", "--users", "10000"]):
        assert CliRunner().invoke(app, ["cost", *arguments, "--json"]).exit_code == 0
    assert asked == [("prod", 500), ("prod", 10000), ("dev", 500), ("prod", 10000)]


def test_every_form_of_a_real_bill_can_be_made(prod: dict[str, Any]) -> None:
    usage, prices = load_usage("prod", 500), load_prices()
    named = {f"academy-prod-{role}": body for role, body in prod.items()}
    bill = Bill("prod", 500, estimate(named, usage, prices), usage, prices)
    text = markdown(bill)
    assert "Choices that cost more:" in text
    assert all(each.name in text for each in bill.choices)
    assert json.loads(json.dumps(as_json(bill)))["choices"]

"""The rules of fleets as a template gives them to the metric function."""

from __future__ import annotations

import json

from config.contracts.fleet_rules import FleetRules, decode_rules
from tests.conftest import Templates
from tests.templates import only, text


def rules_of(templates: Templates) -> dict[str, FleetRules]:
    """Return the fleets' rules by kind, read as the function reads them."""
    function = only(templates["scaling"], "AWS::Lambda::Function")
    entries = json.loads(text(function["Environment"]["Variables"]["FLEETS"]))
    return {rules.kind: rules for rules in map(decode_rules, entries)}

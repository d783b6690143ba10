"""What a load balancer's listener says: rules in order, each with conditions and an action."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """The parts of a request that conditions look at. Header names are in lower case."""

    method: str
    target: str
    host: str
    headers: Mapping[str, str]
    client: str


@dataclass(frozen=True)
class Rule:
    """One rule of a listener; the default rule has no conditions."""

    conditions: Sequence[Mapping[str, Any]]
    actions: Sequence[Mapping[str, Any]]


def rules_of(described: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Return DescribeRules' rules in the order in which they are tried, the default one last."""

    def order(rule: Mapping[str, Any]) -> float:
        return float("inf") if rule["Priority"] == "default" else int(rule["Priority"])

    return tuple(
        Rule(rule.get("Conditions") or (), rule["Actions"]) for rule in sorted(described, key=order)
    )


def chosen(rules: Sequence[Rule], asked: Asked) -> Mapping[str, Any] | None:
    """Return the last action of the first rule that matches."""
    for rule in rules:
        if all(_holds(condition, asked) for condition in rule.conditions):
            actions = sorted(rule.actions, key=lambda action: int(action.get("Order") or 1))
            return actions[-1]
    return None


def target_groups(rules: Sequence[Rule]) -> set[str]:
    """Return the ARNs that any action forwards to."""
    found: set[str] = set()
    for rule in rules:
        for action in rule.actions:
            found.update(weights(action))
    return found


def weights(action: Mapping[str, Any]) -> dict[str, int]:
    """Return the target groups of a forward action with their weights."""
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    found = {group["TargetGroupArn"]: int(group.get("Weight") or 1) for group in groups}
    if not found and action.get("TargetGroupArn"):
        found[action["TargetGroupArn"]] = 1
    return found


def redirect_location(
    config: Mapping[str, str],
    asked: Asked,
    *,
    protocol: str,
    port: int,
    ports: Mapping[int, int],
) -> str:
    """Return the Location of a redirect action, its `#{...}` replaced by the request's parts.

    `protocol` and `port` are those that the request came to. `ports` gives the local port that
    stands for a listener's (443); a port without a listener stays as it is.
    """
    url = urlsplit(asked.target)
    parts = {
        "protocol": protocol.lower(),
        "host": asked.host.partition(":")[0],
        "port": str(port),
        "path": url.path.lstrip("/"),
        "query": url.query,
    }

    def value(name: str, default: str) -> str:
        text = config.get(name) or default
        return re.sub(r"#\{(\w+)\}", lambda match: parts.get(match[1], match[0]), text)

    scheme = value("Protocol", "#{protocol}").lower()
    query = value("Query", "#{query}")
    aim = value("Port", "#{port}")
    local = ports.get(int(aim), aim) if aim.isdecimal() else aim
    place = f"{value('Host', '#{host}')}:{local}"
    return f"{scheme}://{place}{value('Path', '/#{path}')}{f'?{query}' if query else ''}"


def _holds(condition: Mapping[str, Any], asked: Asked) -> bool:  # noqa: PLR0911 (a table)
    url = urlsplit(asked.target)
    match condition["Field"]:
        case "path-pattern":
            return _any(_values(condition, "PathPatternConfig"), url.path)
        case "host-header":
            host = asked.host.partition(":")[0].lower()
            return _any([one.lower() for one in _values(condition, "HostHeaderConfig")], host)
        case "http-request-method":
            return asked.method in _values(condition, "HttpRequestMethodConfig")
        case "http-header":
            name = condition["HttpHeaderConfig"]["HttpHeaderName"].lower()
            return _any(_values(condition, "HttpHeaderConfig"), asked.headers.get(name, ""))
        case "query-string":
            pairs = parse_qsl(url.query, keep_blank_values=True)
            wanted = condition["QueryStringConfig"]["Values"]
            return any(
                _any([one["Value"]], value) and ("Key" not in one or _any([one["Key"]], key))
                for one in wanted
                for key, value in pairs
            )
        case "source-ip":
            networks = map(ipaddress.ip_network, _values(condition, "SourceIpConfig"))
            return any(ipaddress.ip_address(asked.client) in network for network in networks)
    return False


def _values(condition: Mapping[str, Any], config: str) -> Sequence[str]:
    values: Sequence[str] = (condition.get(config) or {}).get("Values") or condition["Values"]
    return values


def _any(patterns: Sequence[str], text: str) -> bool:
    """Tell whether one pattern matches; `*` is any text and `?` any character."""
    for pattern in patterns:
        expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(expression, text, re.DOTALL):
            return True
    return False

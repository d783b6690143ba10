"""Security groups that let more in or out than before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from ops.changes.model import Key, Template, Widening
from ops.changes.paths import construct_path
from ops.changes.references import references
from ops.changes.text import plain

Resources = Mapping[Key, Template]
_GROUP = "AWS::EC2::SecurityGroup"
_RULES = {"AWS::EC2::SecurityGroupIngress": "in", "AWS::EC2::SecurityGroupEgress": "out"}
_INLINE = {"SecurityGroupIngress": "in", "SecurityGroupEgress": "out"}
_CIDRS = ("CidrIp", "CidrIpv6")
_PEERS = (
    *_CIDRS,
    "SourceSecurityGroupId",
    "DestinationSecurityGroupId",
    "SourcePrefixListId",
    "DestinationPrefixListId",
)
_ANY = "-1"
_LAST_PORT = 65535


@dataclass(frozen=True)
class Opening:
    """One rule: `way` is `in` or `out`, `peer` a CIDR, a group or a prefix list, as text."""

    way: str
    protocol: str
    first: int | str
    last: int | str
    peer: str

    def covers(self, other: Opening) -> bool:
        """Tell whether all that the other lets through is let through by this one."""
        return self.way == other.way and self._ports_cover(other) and wider(self.peer, other.peer)

    def widens(self, other: Opening) -> bool:
        """Tell whether the other is this one with fewer ports, or fewer addresses."""
        if self.way != other.way:
            return False
        if self.peer == other.peer:
            return self._ports_cover(other)
        return other._ports_cover(self) and wider(self.peer, other.peer)

    def _ports_cover(self, other: Opening) -> bool:
        if self.protocol == _ANY:
            return True
        if self.protocol != other.protocol:
            return False
        if (self.first, self.last) == (other.first, other.last):
            return True
        ports = [self.first, other.first, other.last, self.last]
        numbers = [port for port in ports if isinstance(port, int)]
        return len(numbers) == len(ports) and numbers == sorted(numbers)

    def __str__(self) -> str:
        ports = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        what = "everything" if self.protocol == _ANY else f"{self.protocol} {ports}"
        return f"{what} {'from' if self.way == 'in' else 'to'} {self.peer}"


def wider(peer: str, other: str) -> bool:
    """Tell whether a peer is another one, or the range of addresses that holds it."""
    if peer == other:
        return True
    try:
        outer, inner = ip_network(peer, strict=False), ip_network(other, strict=False)
    except ValueError:
        return False
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def widened_openings(before: Resources, after: Resources) -> tuple[Widening, ...]:
    """Return what security groups of `after` let through that those of `before` did not."""
    old, new = _by_group(before), _by_group(after)
    found = []
    for key, openings in sorted(new.items()):
        was = old.get(key, set())
        path = construct_path(key, after.get(key, {}))
        found += [Widening(key[0], path, line) for line in sorted(_gained(was, openings))]
    return tuple(found)


def _gained(old: set[Opening], new: set[Opening]) -> Iterator[str]:
    for opening in new:
        if not any(each.covers(opening) for each in old):
            narrower = sorted(str(each) for each in old if opening.widens(each))
            yield f"lets {opening}" + (f", was {', '.join(narrower)}" if narrower else "")


def _by_group(resources: Resources) -> dict[Key, set[Opening]]:
    found: dict[Key, set[Opening]] = defaultdict(set)
    for key, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == _GROUP:
            for name, way in _INLINE.items():
                found[key] |= {_opening(way, rule) for rule in properties.get(name, [])}
        elif resource["Type"] in _RULES:
            group = next(references(key[0], properties.get("GroupId")), key)
            found[group].add(_opening(_RULES[resource["Type"]], properties))
    return found


def _opening(way: str, rule: Template) -> Opening:
    first, last = _port(rule.get("FromPort", 0)), _port(rule.get("ToPort", _LAST_PORT))
    peer = next((plain(rule[name]) for name in _PEERS if name in rule), "anywhere")
    return Opening(way, str(rule["IpProtocol"]), first, last, peer)


def _port(value: Any) -> int | str:
    """Return a port as a number; as text where the template only refers to it."""
    text = plain(value)
    return int(text) if text.lstrip("-").isdigit() else text

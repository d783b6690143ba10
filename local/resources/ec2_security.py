"""AWS::EC2: security groups and their rules. Recorded, not enforced on loopback."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from local.resources.base import Context
from local.resources.calls import InvalidPropertyError, missing_is_fine
from local.resources.ec2_kind import settle_tags
from local.resources.kind import Kind, Properties, changed

_EVERYTHING = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
#: Peer property of CloudFormation -> (list in IpPermissions, its member).
_PEERS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
}
_RULE = frozenset({"IpProtocol", "FromPort", "ToPort", "Description", *_PEERS})


def permission(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a CloudFormation rule as one IpPermission.

    Raises: InvalidPropertyError for a name that no rule has, or without exactly one peer.
    """
    unknown = rule.keys() - _RULE
    if unknown:
        raise InvalidPropertyError(f"rule {sorted(unknown)} unknown; allowed: {sorted(_RULE)}")
    peers = [name for name in _PEERS if name in rule]
    if len(peers) != 1:
        raise InvalidPropertyError(f"rule has the peers {peers}; exactly one of {sorted(_PEERS)}")
    group, member = _PEERS[peers[0]]
    peer = {member: rule[peers[0]]}
    if "Description" in rule:
        peer["Description"] = rule["Description"]
    ports = {name: int(rule[name]) for name in ("FromPort", "ToPort") if name in rule}
    if str(rule["IpProtocol"]) == "-1":
        ports = {}
    return {"IpProtocol": str(rule["IpProtocol"]), **ports, group: [peer]}


class SecurityGroup(Kind):
    """A group with its inline rules. Without egress rules it lets everything out, as AWS does."""

    type_name = "AWS::EC2::SecurityGroup"
    properties = frozenset(
        {
            "GroupDescription",
            "GroupName",
            "SecurityGroupEgress",
            "SecurityGroupIngress",
            "Tags",
            "VpcId",
        }
    )
    replace_on = frozenset({"GroupDescription", "GroupName", "VpcId"})

    def make(self, context: Context, properties: Properties) -> str:
        answer = context.clients.client("ec2").create_security_group(
            GroupName=properties.get("GroupName") or context.unique_name(max_length=255),
            Description=properties["GroupDescription"],
            VpcId=properties["VpcId"],
        )
        return str(answer["GroupId"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        ec2 = context.clients.client("ec2")
        settle_tags(ec2, physical_id, old, new)
        if changed("SecurityGroupIngress", old, new):
            before, after = (p.get("SecurityGroupIngress", []) for p in (old, new))
            _settle(ec2, physical_id, "ingress", before, after)
        before, after = (p.get("SecurityGroupEgress") or [_EVERYTHING] for p in (old, new))
        _settle(ec2, physical_id, "egress", before, after)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("ec2").delete_security_group(GroupId=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"GroupId": physical_id, "VpcId": properties["VpcId"]}


def _settle(ec2: Any, group: str, way: str, before: Iterable[Any], after: Iterable[Any]) -> None:
    """Bring the rules from `before` to `after`, also where an earlier attempt stopped half way."""
    old, new = ([permission(rule) for rule in rules] for rules in (before, after))
    for rule in (rule for rule in old if rule not in new):
        with missing_is_fine():
            getattr(ec2, f"revoke_security_group_{way}")(GroupId=group, IpPermissions=[rule])
    for rule in (rule for rule in new if rule not in old):
        try:
            getattr(ec2, f"authorize_security_group_{way}")(GroupId=group, IpPermissions=[rule])
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidPermission.Duplicate":
                raise


class _RuleKind(Kind):
    """A rule that stands apart from its group."""

    way: ClassVar[str]

    def make(self, context: Context, properties: Properties) -> str:
        ec2 = context.clients.client("ec2")
        rule = permission({k: v for k, v in properties.items() if k != "GroupId"})
        authorize = getattr(ec2, f"authorize_security_group_{self.way}")
        answer = authorize(GroupId=properties["GroupId"], IpPermissions=[rule])
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        ec2 = context.clients.client("ec2")
        rule = permission({k: v for k, v in properties.items() if k != "GroupId"})
        revoke = getattr(ec2, f"revoke_security_group_{self.way}")
        with missing_is_fine():
            revoke(GroupId=properties["GroupId"], IpPermissions=[rule])

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Id": physical_id}


class SecurityGroupIngress(_RuleKind):
    """An ingress rule."""

    type_name = "AWS::EC2::SecurityGroupIngress"
    way = "ingress"
    properties = frozenset(
        {"GroupId", *_RULE} - {"DestinationSecurityGroupId", "DestinationPrefixListId"}
    )
    replace_on = properties


class SecurityGroupEgress(_RuleKind):
    """An egress rule."""

    type_name = "AWS::EC2::SecurityGroupEgress"
    way = "egress"
    properties = frozenset({"GroupId", *_RULE} - {"SourceSecurityGroupId", "SourcePrefixListId"})
    replace_on = properties


HANDLERS = (SecurityGroup(), SecurityGroupIngress(), SecurityGroupEgress())

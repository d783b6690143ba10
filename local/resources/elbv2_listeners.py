"""AWS::ElasticLoadBalancingV2: listeners and their rules."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import InvalidPropertyError, call, without
from local.resources.kind import Kind, Properties

_PROTOCOLS = ("HTTP", "HTTPS")
_ACTIONS = ("forward", "redirect", "fixed-response")


class Listener(Kind):
    """A listener, HTTP or HTTPS with one certificate; the host really serves it."""

    type_name = "AWS::ElasticLoadBalancingV2::Listener"
    properties = frozenset(
        {"Certificates", "DefaultActions", "LoadBalancerArn", "Port", "Protocol", "SslPolicy"}
    )
    replace_on = frozenset({"LoadBalancerArn"})

    def make(self, context: Context, properties: Properties) -> str:
        _refuse_unserved(properties, "DefaultActions")
        elbv2 = context.clients.client("elbv2")
        balancer = {"LoadBalancerArn": properties["LoadBalancerArn"]}
        for other in elbv2.describe_listeners(**balancer)["Listeners"]:
            if other["Port"] == int(properties["Port"]):
                raise InvalidPropertyError(f"Port {other['Port']}: a listener has it already")
        answer = call(elbv2, "CreateListener", properties)
        return str(answer["Listeners"][0]["ListenerArn"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if old and old != new:
            _refuse_unserved(new, "DefaultActions")
            values = {**without(new, "LoadBalancerArn"), "ListenerArn": physical_id}
            call(context.clients.client("elbv2"), "ModifyListener", values)
        context.hosts.load_balancers.refresh()

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("elbv2").delete_listener(ListenerArn=physical_id)
        context.hosts.load_balancers.refresh()

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"ListenerArn": physical_id}


class ListenerRule(Kind):
    """One rule of a listener."""

    type_name = "AWS::ElasticLoadBalancingV2::ListenerRule"
    properties = frozenset({"Actions", "Conditions", "ListenerArn", "Priority"})
    replace_on = frozenset({"ListenerArn"})

    def make(self, context: Context, properties: Properties) -> str:
        _refuse_unserved(properties, "Actions")
        answer = call(context.clients.client("elbv2"), "CreateRule", properties)
        return str(answer["Rules"][0]["RuleArn"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        elbv2 = context.clients.client("elbv2")
        if old and old != new:
            _refuse_unserved(new, "Actions")
            values = {**without(new, "ListenerArn", "Priority"), "RuleArn": physical_id}
            call(elbv2, "ModifyRule", values)
            priority = {"RuleArn": physical_id, "Priority": new["Priority"]}
            call(elbv2, "SetRulePriorities", {"RulePriorities": [priority]})
        context.hosts.load_balancers.refresh()

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("elbv2").delete_rule(RuleArn=physical_id)
        context.hosts.load_balancers.refresh()

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"RuleArn": physical_id, "IsDefault": False}


def _refuse_unserved(properties: Properties, actions: str) -> None:
    """Refuse what the host would not serve, and serve as something else at worst.

    Raises: InvalidPropertyError.
    """
    for action in properties[actions]:
        if action["Type"] not in _ACTIONS:
            raise InvalidPropertyError(
                f"{actions}: {action['Type']} is not served here; allowed: {', '.join(_ACTIONS)}"
            )
    protocol = properties.get("Protocol", "HTTP")
    if protocol not in _PROTOCOLS:
        raise InvalidPropertyError(
            f"Protocol {protocol} is not served here; allowed: {', '.join(_PROTOCOLS)}"
        )
    if protocol == "HTTPS" and len(properties.get("Certificates") or ()) != 1:
        raise InvalidPropertyError("Certificates: exactly one must be there for HTTPS")


HANDLERS = (Listener(), ListenerRule())

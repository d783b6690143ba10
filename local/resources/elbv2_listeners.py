"""AWS::ElasticLoadBalancingV2: listeners and their rules."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import call, without
from local.resources.kind import Kind, Properties


class Listener(Kind):
    """A listener: forward, redirect or fixed response; HTTPS with its certificate."""

    type_name = "AWS::ElasticLoadBalancingV2::Listener"
    properties = frozenset(
        {"Certificates", "DefaultActions", "LoadBalancerArn", "Port", "Protocol", "SslPolicy"}
    )
    replace_on = frozenset({"LoadBalancerArn"})

    def make(self, context: Context, properties: Properties) -> str:
        answer = call(context.clients.client("elbv2"), "CreateListener", properties)
        return str(answer["Listeners"][0]["ListenerArn"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if old and old != new:
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
        answer = call(context.clients.client("elbv2"), "CreateRule", properties)
        return str(answer["Rules"][0]["RuleArn"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        elbv2 = context.clients.client("elbv2")
        if old and old != new:
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


HANDLERS = (Listener(), ListenerRule())

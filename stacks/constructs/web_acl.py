"""The firewall for web requests: what it refuses, and how often one address may ask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from config.contracts.api_paths import BODY_UPLOADS, RATE_LIMITED
from config.contracts.edges import ORIGIN_HEADER
from config.contracts.environment import INTERNAL_KEY_HEADER
from config.contracts.names import PREFIX
from stacks.constructs.log_group import log_group
from stacks.constructs.platform_stack import Place

WINDOW_S = 60
_TOO_MANY = "TooManyRequests"
#: In the form of the API's own errors. Its letters go out escaped: CloudFormation gives others than
#: ASCII back as question marks, and every diff would then show a change.
_TOO_MANY_BODY = {
    "detail": "요청이 너무 많습니다. 1분 뒤에 다시 시도해 주세요. "
    "Too many requests: try again in a minute.",
    "code": "too_many_requests",
}
#: Headers that hold a credential, and no log needs.
_CREDENTIALS = ("authorization", "cookie", INTERNAL_KEY_HEADER.lower(), ORIGIN_HEADER.lower())


class WebAcl(Construct):
    """AWS's rules against common attacks and known bad input, and a limit per client address.

    `scope` is CLOUDFRONT (in us-east-1) or REGIONAL (in front of a load balancer). The limit of
    `requests_per_minute` counts the API alone: a class behind one address may load its segments and
    pages. `address_header` names the client where a proxy asks for it. Blocked requests are logged
    without credentials and paths, since a watch page's path is its permission; the console's
    samples show paths for three hours.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        place: Place,
        protects: Literal["CLOUDFRONT", "REGIONAL"],
        requests_per_minute: int,
        address_header: str | None = None,
    ) -> None:
        super().__init__(scope, identifier)
        acl = waf.CfnWebACL(
            self,
            "Acl",
            scope=protects,
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_metrics("WebRequests"),
            custom_response_bodies={
                _TOO_MANY: waf.CfnWebACL.CustomResponseBodyProperty(
                    content_type="APPLICATION_JSON",
                    content=json.dumps(_TOO_MANY_BODY),
                )
            },
            rules=[
                _rate_rule(0, requests_per_minute, address_header),
                _managed(1, "AWSManagedRulesKnownBadInputsRuleSet"),
                # A spreadsheet is larger than the 8 KiB that these rules allow a body, and its
                # packed bytes look like anything.
                _managed(2, "AWSManagedRulesCommonRuleSet", besides=BODY_UPLOADS),
            ],
        )
        self.arn = acl.attr_arn
        self._log_blocked(place)

    def guard(self, load_balancer: elbv2.IApplicationLoadBalancer) -> None:
        """Stand in front of a load balancer; a distribution names the ACL itself."""
        waf.CfnWebACLAssociation(
            self,
            "LoadBalancer",
            web_acl_arn=self.arn,
            resource_arn=load_balancer.load_balancer_arn,
        )

    def _log_blocked(self, place: Place) -> None:
        name = f"aws-waf-logs-{PREFIX}-{place.environment}"  # the prefix is required
        group = log_group(self, "Blocked", retention_days=place.log_retention_days, name=name)
        destination = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=group.log_group_name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        redacted = [
            waf.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": header})
            for header in _CREDENTIALS
        ]
        redacted.append(waf.CfnLoggingConfiguration.FieldToMatchProperty(uri_path={}))
        redacted.append(waf.CfnLoggingConfiguration.FieldToMatchProperty(query_string={}))
        keep_blocked = {
            "Behavior": "KEEP",
            "Requirement": "MEETS_ANY",
            "Conditions": [{"ActionCondition": {"Action": "BLOCK"}}],
        }
        waf.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.arn,
            log_destination_configs=[destination],
            redacted_fields=redacted,
            logging_filter={"DefaultBehavior": "DROP", "Filters": [keep_blocked]},
        )


def _rate_rule(
    priority: int, requests_per_minute: int, address_header: str | None
) -> waf.CfnWebACL.RuleProperty:
    """Answer 429 to an address above its limit. Browsers of any origin may read that answer."""
    forwarded = address_header and waf.CfnWebACL.ForwardedIPConfigurationProperty(
        header_name=address_header, fallback_behavior="MATCH"
    )
    return waf.CfnWebACL.RuleProperty(
        name="RequestsPerMinute",
        priority=priority,
        visibility_config=_metrics("RequestsPerMinute"),
        statement=waf.CfnWebACL.StatementProperty(
            rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                limit=requests_per_minute,
                evaluation_window_sec=WINDOW_S,
                aggregate_key_type="FORWARDED_IP" if address_header else "IP",
                forwarded_ip_config=forwarded or None,
                scope_down_statement=_any_path(RATE_LIMITED),
            )
        ),
        action=waf.CfnWebACL.RuleActionProperty(
            block=waf.CfnWebACL.BlockActionProperty(
                custom_response=waf.CfnWebACL.CustomResponseProperty(
                    response_code=429,
                    custom_response_body_key=_TOO_MANY,
                    response_headers=[
                        waf.CfnWebACL.CustomHTTPHeaderProperty(name=name, value=value)
                        for name, value in (
                            ("Retry-After", str(WINDOW_S)),
                            ("Access-Control-Allow-Origin", "*"),
                        )
                    ],
                )
            )
        ),
    )


def _managed(priority: int, name: str, besides: Sequence[str] = ()) -> waf.CfnWebACL.RuleProperty:
    """Apply one of AWS's rule groups to every request, but for paths that begin as `besides`."""
    inspected = besides and waf.CfnWebACL.StatementProperty(
        not_statement=waf.CfnWebACL.NotStatementProperty(statement=_any_path(besides))
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        visibility_config=_metrics(name),
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        statement=waf.CfnWebACL.StatementProperty(
            managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS", name=name, scope_down_statement=inspected or None
            )
        ),
    )


def _any_path(prefixes: Sequence[str]) -> waf.CfnWebACL.StatementProperty:
    """Match a path that begins with one of `prefixes`, however its letters are encoded."""
    decode = waf.CfnWebACL.TextTransformationProperty(priority=0, type="URL_DECODE")
    found = [
        waf.CfnWebACL.StatementProperty(
            byte_match_statement=waf.CfnWebACL.ByteMatchStatementProperty(
                field_to_match=waf.CfnWebACL.FieldToMatchProperty(uri_path={}),
                positional_constraint="STARTS_WITH",
                search_string=prefix,
                text_transformations=[decode],
            )
        )
        for prefix in prefixes
    ]
    if len(found) == 1:
        return found[0]
    return waf.CfnWebACL.StatementProperty(
        or_statement=waf.CfnWebACL.OrStatementProperty(statements=found)
    )


def _metrics(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )

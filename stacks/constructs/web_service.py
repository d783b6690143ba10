"""The public entry of the API: load balancer, certificate, target group."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from config.contracts.names import API_PORT

HEALTH_PATH = "/healthz"


class WebEntry(Construct):
    """An internet-facing ALB in front of one target group on the API's port.

    With a domain name: a certificate (validated by a DNS record that its owner adds at the first
    deploy), 443, and 80 redirected to it. Without one, plain HTTP. A target is healthy while
    `/healthz` answers 200. Its security group's rules are the firewall's.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        domain_name: str | None,
        target_type: elbv2.TargetType,
    ) -> None:
        super().__init__(scope, identifier)
        self.load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=vpc,
            internet_facing=True,
            security_group=security_group,
            drop_invalid_header_fields=True,
        )
        self.targets = elbv2.ApplicationTargetGroup(
            self,
            "Targets",
            vpc=vpc,
            port=API_PORT,
            protocol=elbv2.ApplicationProtocol.HTTP,
            target_type=target_type,
            deregistration_delay=cdk.Duration.seconds(30),
            health_check=elbv2.HealthCheck(
                path=HEALTH_PATH,
                healthy_http_codes="200",
                interval=cdk.Duration.seconds(10),
                timeout=cdk.Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )
        if domain_name is None:
            self.listener = self._plain()
            self.base_url = f"http://{self.load_balancer.load_balancer_dns_name}"
        else:
            self.listener = self._secure(domain_name)
            self.base_url = f"https://{domain_name}"

    def _plain(self) -> elbv2.ApplicationListener:
        return self.load_balancer.add_listener(
            "Http",
            port=80,
            protocol=elbv2.ApplicationProtocol.HTTP,
            open=False,
            default_action=elbv2.ListenerAction.forward([self.targets]),
        )

    def _secure(self, domain_name: str) -> elbv2.ApplicationListener:
        certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=domain_name,
            validation=acm.CertificateValidation.from_dns(),
        )
        self.load_balancer.add_listener(
            "Redirect",
            port=80,
            protocol=elbv2.ApplicationProtocol.HTTP,
            open=False,
            default_action=elbv2.ListenerAction.redirect(
                protocol="HTTPS", port="443", permanent=True
            ),
        )
        return self.load_balancer.add_listener(
            "Https",
            port=443,
            protocol=elbv2.ApplicationProtocol.HTTPS,
            ssl_policy=elbv2.SslPolicy.RECOMMENDED_TLS,
            certificates=[certificate],
            open=False,
            default_action=elbv2.ListenerAction.forward([self.targets]),
        )

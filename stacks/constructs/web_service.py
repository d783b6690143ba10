"""The public entry of the API: load balancer, certificate, target group."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from config.contracts.names import API_PORT
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.origin_lock import shows_origin_secret
from stacks.constructs.platform_stack import Place

HEALTH_PATH = "/healthz"


class WebEntry(Construct):
    """An internet-facing ALB in front of one target group on the API's port.

    With a domain name: a certificate (validated by a DNS record that its owner adds at the first
    deploy), 443, and 80 redirected to it. Without one, plain HTTP. `locked` by an environment's
    edge: 443 alone, and 403 to whoever does not show the origin secret; callers then use the
    `public_name`, which the certificate holds as well. A target is healthy while `/healthz`
    answers 200; that check does not pass the listener. Its security group's rules are the
    firewall's. No access log: the paths of watch pages are permissions.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        domain_name: str | None,
        public_name: str | None,
        locked: bool,
        place: Place,
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
        acknowledge(
            self.load_balancer,
            "ELB2",
            "A log line would hold a watch page's path, which is a permission for a week; the API "
            "logs each request's route, the web ACL what it blocks",
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
                unhealthy_threshold_count=5,
            ),
        )
        if domain_name is None or public_name is None:
            self._plain()
            self.base_url = f"http://{self.load_balancer.load_balancer_dns_name}"
            return
        self.base_url = f"https://{public_name}"
        certificate = self._certificate(domain_name, public_name)
        if locked:
            self._locked(certificate, place.environment)
        else:
            self._open(certificate)

    def _plain(self) -> None:
        self.load_balancer.add_listener(
            "Http",
            port=80,
            protocol=elbv2.ApplicationProtocol.HTTP,
            open=False,
            default_action=elbv2.ListenerAction.forward([self.targets]),
        )

    def _certificate(self, domain_name: str, public_name: str) -> acm.Certificate:
        """Return the certificate of both names: the edge asks for one, and passes on the other."""
        return acm.Certificate(
            self,
            "Certificate",
            domain_name=domain_name,
            subject_alternative_names=[public_name] if public_name != domain_name else None,
            validation=acm.CertificateValidation.from_dns(),
        )

    def _open(self, certificate: acm.Certificate) -> None:
        self.load_balancer.add_listener(
            "Redirect",
            port=80,
            protocol=elbv2.ApplicationProtocol.HTTP,
            open=False,
            default_action=elbv2.ListenerAction.redirect(
                protocol="HTTPS", port="443", permanent=True
            ),
        )
        self._secure(certificate, elbv2.ListenerAction.forward([self.targets]))

    def _locked(self, certificate: acm.Certificate, environment: str) -> None:
        refused = elbv2.ListenerAction.fixed_response(
            403, content_type="application/json", message_body='{"detail": "Ask the public name."}'
        )
        elbv2.ApplicationListenerRule(
            self,
            "ThroughEdge",
            listener=self._secure(certificate, refused),
            priority=1,
            conditions=[shows_origin_secret(environment)],
            action=elbv2.ListenerAction.forward([self.targets]),
        )

    def _secure(
        self, certificate: acm.Certificate, action: elbv2.ListenerAction
    ) -> elbv2.ApplicationListener:
        return self.load_balancer.add_listener(
            "Https",
            port=443,
            protocol=elbv2.ApplicationProtocol.HTTPS,
            ssl_policy=elbv2.SslPolicy.RECOMMENDED_TLS,
            certificates=[certificate],
            open=False,
            default_action=action,
        )

"""A deployed HTTPS listener really speaks TLS, and its balancer's port 80 leads to it."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from local.clock import SystemClock
from local.hosts import Hosts
from local.hosts.authority import Authority
from local.hosts.load_balancer import LocalLoadBalancers
from local.hosts.ports import free_port, listens
from local.server import EmbeddedAws, build
from tests.local.stacks import Stacks, resource, template
from tests.local.waiting import until

ELB = "AWS::ElasticLoadBalancingV2"
NAME = "api.example.com"


class _Echo(BaseHTTPRequestHandler):
    """Answers with the headers that it got."""

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, **self.headers}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@dataclass
class Lab:
    """An embedded AWS whose balancers listen, and one target."""

    aws: EmbeddedAws
    stacks: Stacks
    app: ThreadingHTTPServer
    state: Path

    @property
    def authority(self) -> str:
        """The file that a client trusts."""
        return str(self.state / "authority" / "ca.pem")

    def resources(self, certificate: Any = None) -> dict[str, Any]:
        """Return a balancer with 443 to its target group and 80 redirected there."""
        ec2 = self.aws.clients.client("ec2")
        subnets = ec2.describe_subnets()["Subnets"][:2]
        to_https = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        asked = certificate or {"Ref": "Certificate"}
        return {
            "Certificate": resource("AWS::CertificateManager::Certificate", DomainName=NAME),
            "Balancer": resource(
                f"{ELB}::LoadBalancer", Name="front", Subnets=[one["SubnetId"] for one in subnets]
            ),
            "Targets": resource(
                f"{ELB}::TargetGroup",
                Protocol="HTTP",
                Port=8000,
                TargetType="ip",
                VpcId=subnets[0]["VpcId"],
                HealthCheckPath="/healthz",
            ),
            "Redirect": resource(
                f"{ELB}::Listener",
                LoadBalancerArn={"Ref": "Balancer"},
                Port=80,
                Protocol="HTTP",
                DefaultActions=[{"Type": "redirect", "RedirectConfig": to_https}],
            ),
            "Https": resource(
                f"{ELB}::Listener",
                LoadBalancerArn={"Ref": "Balancer"},
                Port=443,
                Protocol="HTTPS",
                Certificates=[{"CertificateArn": asked}],
                DefaultActions=[{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
            ),
        }

    def deploy(self, certificate: Any = None) -> str:
        """Deploy that, wait until the target is well, and return the DNSName."""
        resources = self.resources(certificate)
        dns_name = {"Address": {"Value": {"Fn::GetAtt": ["Balancer", "DNSName"]}}}
        stack = self.stacks.create("line", template(resources, Outputs=dns_name))
        assert stack["StackStatus"] == "CREATE_COMPLETE", self.stacks.history("line")
        group = self.stacks.physical_id("line", "Targets")
        elbv2 = self.aws.clients.client("elbv2")
        target = {"Id": "127.0.0.1", "Port": self.app.server_address[1]}
        elbv2.register_targets(TargetGroupArn=group, Targets=[target])
        address = self.stacks.outputs("line")["Address"]
        until(lambda: self.get(f"http://{address}/", verify=False).status_code == 200)
        return address

    @staticmethod
    def get(url: str, **more: Any) -> requests.Response:
        return requests.get(url, timeout=20, **more)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A fresh one for each test."""
    made: list[LocalLoadBalancers] = []

    def make_hosts(around: Any) -> Hosts:
        made.append(LocalLoadBalancers(tmp_path, around.clients, lambda *_: None))
        return Hosts(load_balancers=made[0])

    aws = build(port=free_port(), clock=SystemClock(), make_hosts=make_hosts)
    app = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    yield Lab(aws, Stacks(aws), app, tmp_path)
    made[0].close()
    app.shutdown()
    app.server_close()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_port_80_leads_to_a_verified_https_door_that_tells_the_target_so(lab: Lab) -> None:
    address = lab.deploy()

    moved = lab.get(f"http://{address}/watch/1?x=y", allow_redirects=False)
    target = urlsplit(moved.headers["Location"])
    assert (moved.status_code, target.scheme, target.hostname) == (301, "https", "localhost")
    assert (target.path, target.query) == ("/watch/1", "x=y")
    assert target.port not in {443, int(address.rpartition(":")[2])}

    answer = lab.get(f"http://{address}/watch/1?x=y", verify=lab.authority)
    assert answer.url == moved.headers["Location"]
    seen = answer.json()
    assert (seen["path"], seen["X-Forwarded-Proto"]) == ("/watch/1?x=y", "https")
    assert seen["X-Forwarded-Port"] == str(target.port)

    with pytest.raises(requests.exceptions.SSLError):
        lab.get(moved.headers["Location"])


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_certificate_is_for_its_domain_as_well(lab: Lab) -> None:
    address = lab.deploy()
    moved = lab.get(f"http://{address}/", allow_redirects=False)
    place = ("127.0.0.1", urlsplit(moved.headers["Location"]).port)
    context = ssl.create_default_context(cafile=lab.authority)
    with (
        socket.create_connection(place, timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as secured,
    ):
        assert secured.version() in {"TLSv1.2", "TLSv1.3"}


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_deleted_stack_closes_its_doors_and_the_next_one_gets_the_same(lab: Lab) -> None:
    address = lab.deploy()
    ports = json.loads((lab.state / "load_balancers.json").read_text())
    assert set(ports) == {"front", "front:443"}
    before = Path(lab.authority).read_bytes()

    lab.stacks.api.delete_stack(StackName="line")

    until(lambda: not any(listens(port) for port in ports.values()))
    assert lab.deploy() == address
    assert json.loads((lab.state / "load_balancers.json").read_text()) == ports
    assert Path(lab.authority).read_bytes() == before


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_an_imported_certificate_is_presented_as_it_is(lab: Lab, tmp_path: Path) -> None:
    theirs = Authority(tmp_path / "theirs" / "authority")
    certificate, key = theirs.issue(["localhost"])
    imported = lab.aws.clients.client("acm").import_certificate(
        Certificate=certificate, PrivateKey=key
    )
    address = lab.deploy(imported["CertificateArn"])
    assert lab.get(f"http://{address}/", verify=str(theirs.certificate)).status_code == 200


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_nobody_else_can_read_a_key(lab: Lab) -> None:
    lab.deploy()
    directory = lab.state / "authority"
    modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}
    assert modes.pop("ca.pem") & 0o444
    assert len(modes) == 2
    assert set(modes.values()) == {0o600}
    assert directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Protocol": "TLS"}, "Protocol TLS is not served here; allowed: HTTP, HTTPS"),
        ({"Certificates": []}, "exactly one must be there"),
        ({"Port": 80}, "Port 80: a listener has it already"),
        ({"DefaultActions": [{"Type": "authenticate-oidc"}]}, "authenticate-oidc is not served"),
    ],
)
def test_a_listener_that_would_not_be_served_as_it_says_fails_the_stack(
    lab: Lab, changes: dict[str, Any], reason: str
) -> None:
    resources = lab.resources()
    resources["Https"]["Properties"].update(changes)
    resources["Https"]["DependsOn"] = "Redirect"
    stack = lab.stacks.create("line", template(resources))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = lab.stacks.api.describe_stack_events(StackName="line")["StackEvents"]
    assert any(reason in event.get("ResourceStatusReason", "") for event in events)

"""A load balancer's records really balance: rules, health, streaming, ELB's own errors."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from local.clock import SystemClock
from local.hosts.lb_health import Check, Health, judged
from local.hosts.lb_target_health import TargetHealth
from local.hosts.load_balancer import LocalLoadBalancers
from local.hosts.ports import free_port
from local.server import EmbeddedAws, build
from tests.local.waiting import until


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/drop":
            self.connection.close()
            return
        if self.path == "/stream":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nfirst\r\n")
            self.wfile.flush()
            assert self.server.released.wait(20)
            self.wfile.write(b"6\r\nsecond\r\n0\r\n\r\n")
            return
        status = self.server.status if self.path == "/healthz" else 200
        self.answer(status, "\n".join(f"{key}: {value}" for key, value in self.headers.items()))

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, f"{self.path} {len(body)} {body[:4]!r}")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Server", self.server.name)
        self.end_headers()
        self.wfile.write(text.encode())


class App(ThreadingHTTPServer):
    """A target whose health a test decides."""

    daemon_threads = True

    def __init__(self, name: str, address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), _Handler)
        self.name = name
        self.status = 200
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass


class Lab:
    """An embedded AWS with one balancer, one target group and its HTTP listener."""

    def __init__(self, aws: EmbeddedAws, balancers: LocalLoadBalancers) -> None:
        self.balancers = balancers
        self.elbv2 = aws.clients.client("elbv2")
        ec2 = aws.clients.client("ec2")
        subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
        made = self.elbv2.create_load_balancer(Name="front", Subnets=subnets)["LoadBalancers"][0]
        self.arn = made["LoadBalancerArn"]
        self.group = self.elbv2.create_target_group(
            Name="targets",
            Protocol="HTTP",
            Port=8000,
            TargetType="ip",
            VpcId=made["VpcId"],
            HealthCheckPath="/healthz",
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        forward = [{"Type": "forward", "TargetGroupArn": self.group}]
        self.listener = self.elbv2.create_listener(
            LoadBalancerArn=self.arn, Port=80, Protocol="HTTP", DefaultActions=forward
        )["Listeners"][0]["ListenerArn"]
        self.url = f"http://{balancers.ensure(self.arn)}"

    def register(self, app: App) -> None:
        """Put an app behind the balancer, under its own loopback port."""
        target = {"Id": app.server_address[0], "Port": app.server_address[1]}
        self.elbv2.register_targets(TargetGroupArn=self.group, Targets=[target])
        self.balancers.refresh()

    def states(self) -> list[str]:
        """Return the states that DescribeTargetHealth tells."""
        found = self.elbv2.describe_target_health(TargetGroupArn=self.group)
        return [one["TargetHealth"]["State"] for one in found["TargetHealthDescriptions"]]


@pytest.fixture
def lab(tmp_path) -> Iterator[Lab]:
    """A fresh one for each test."""
    aws = build(port=free_port(), clock=SystemClock())
    ports: dict[tuple[str, int], int] = {}
    balancers = LocalLoadBalancers(tmp_path, aws.clients, lambda key, port: ports.get((key, port)))
    aws.application.add(TargetHealth(balancers))
    yield Lab(aws, balancers)
    balancers.close()


@pytest.fixture
def app(lab: Lab) -> Iterator[App]:
    """A healthy target behind the balancer."""
    found = App("one")
    lab.register(found)
    until(lambda: lab.states() == ["healthy"])
    yield found
    found.shutdown()
    found.server_close()


def test_a_request_reaches_the_target_with_elbs_headers(lab, app):
    answer = requests.get(f"{lab.url}/x?y=1", headers={"X-Mine": "z"}, timeout=10)
    assert (answer.status_code, answer.headers["X-Server"]) == (200, "one")
    headers = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert headers["X-Mine"] == "z"
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "http"
    assert headers["X-Forwarded-Port"] == lab.url.rpartition(":")[2]
    assert headers["Host"] == lab.url.removeprefix("http://")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_arrives_whole(lab, app, chunked):
    block = b"x" * 300_000
    body = iter([block, block]) if chunked else block * 2
    answer = requests.post(f"{lab.url}/up", data=body, timeout=20)
    assert (answer.status_code, answer.text) == (201, "/up 600000 b'xxxx'")


def test_an_answer_is_passed_on_while_it_comes_in(lab, app):
    connection = http.client.HTTPConnection(lab.url.removeprefix("http://"), timeout=20)
    connection.request("GET", "/stream")
    answer = connection.getresponse()
    assert answer.read1(100) == b"first"
    app.released.set()
    assert answer.read() == b"second"


def test_one_connection_carries_several_requests(lab, app):
    connection = http.client.HTTPConnection(lab.url.removeprefix("http://"), timeout=20)
    for method in ("GET", "HEAD", "GET"):
        connection.request(method, "/")
        answer = connection.getresponse()
        body = answer.read()
        if method == "GET":
            assert (answer.status, bool(body)) == (200, True)


def test_without_a_target_that_can_serve_it_answers_503(lab):
    lab.balancers.refresh()
    answer = requests.get(lab.url, timeout=10)
    assert answer.status_code == 503
    assert "503 Service Temporarily Unavailable" in answer.text


def test_a_target_that_hangs_up_is_a_502(lab, app):
    assert requests.get(f"{lab.url}/drop", timeout=10).status_code == 502


def test_a_target_that_fails_its_check_gets_no_request_while_another_is_well(lab, app):
    sick = App("sick", "127.0.0.2")
    sick.status = 500
    lab.register(sick)
    assert "initial" in lab.states()
    servers = {requests.get(lab.url, timeout=10).headers["X-Server"] for _ in range(6)}
    assert servers == {"one"}
    sick.status = 200
    until(lambda: lab.states().count("healthy") == 2)
    servers = {requests.get(lab.url, timeout=10).headers["X-Server"] for _ in range(6)}
    assert servers == {"one", "sick"}
    sick.shutdown()
    sick.server_close()


def test_a_deregistered_target_gets_nothing_more(lab, app):
    target = {"Id": "127.0.0.1", "Port": app.server_address[1]}
    lab.elbv2.deregister_targets(TargetGroupArn=lab.group, Targets=[target])
    lab.balancers.refresh()
    assert requests.get(lab.url, timeout=10).status_code == 503


def test_rules_are_tried_in_order_before_the_default(lab, app):
    fixed = {"StatusCode": "418", "ContentType": "text/plain", "MessageBody": "tea"}
    lab.elbv2.create_rule(
        ListenerArn=lab.listener,
        Priority=20,
        Conditions=[{"Field": "path-pattern", "Values": ["/tea*"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}],
    )
    lab.elbv2.create_rule(
        ListenerArn=lab.listener,
        Priority=10,
        Conditions=[{"Field": "path-pattern", "Values": ["/teapot"]}],
        Actions=[
            {
                "Type": "redirect",
                "RedirectConfig": {
                    **{"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
                    "Path": "/kettle/#{path}",
                },
            }
        ],
    )
    lab.balancers.refresh()
    answer = requests.get(f"{lab.url}/tea?x", timeout=10)
    assert (answer.status_code, answer.text) == (418, "tea")
    answer = requests.get(f"{lab.url}/teapot?x=1", timeout=10, allow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["Location"] == "https://localhost:443/kettle/teapot?x=1"
    assert requests.get(f"{lab.url}/other", timeout=10).headers["X-Server"] == "one"


def test_an_instance_is_reached_through_the_port_that_it_published(tmp_path):
    aws = build(port=free_port(), clock=SystemClock())
    balancers = LocalLoadBalancers(tmp_path, aws.clients, _published)
    assert balancers.resolve("i-1", 8000) == ("127.0.0.1", 1234)
    assert balancers.resolve("i-1", 9) is None
    assert balancers.resolve("10.0.0.1", 80) == ("10.0.0.1", 80)
    balancers.close()


def _published(instance_id: str, port: int) -> int | None:
    return {("i-1", 8000): 1234}.get((instance_id, port))


def test_a_balancer_keeps_its_port_and_a_removed_one_refuses_connections(lab, app):
    url = f"http://{lab.balancers.ensure(lab.arn)}"
    assert url == lab.url
    lab.balancers.remove(lab.arn)
    lab.balancers.remove(lab.arn)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    assert f"http://{lab.balancers.ensure(lab.arn)}" == url


def test_a_request_that_is_no_http_is_refused(lab, app):
    with socket.create_connection(("127.0.0.1", int(lab.url.rpartition(":")[2]))) as raw:
        raw.sendall(b"nonsense\r\n\r\n")
        assert b"400" in raw.recv(1000)


CHECK = Check("/", "200,301-399", interval_s=10, timeout_s=5, healthy=2, unhealthy=3)
FAILED = ("Target.Timeout", "Request timed out")


@pytest.mark.parametrize(
    ("status", "passes"), [(200, True), (201, False), (301, True), (399, True), (400, False)]
)
def test_a_matcher_names_codes_and_ranges(status, passes):
    assert CHECK.passes(status) is passes


def test_a_new_target_is_healthy_after_one_pass():
    assert judged(Health(since=0), CHECK, None, 1).state == "healthy"


def test_a_new_target_stays_initial_until_its_thresholds_time_is_up():
    health = judged(Health(since=0), CHECK, FAILED, 29.9)
    assert (health.state, health.reason, health.due) == ("initial", "Target.Timeout", 30.4)
    assert judged(health, CHECK, FAILED, 30).state == "unhealthy"


def test_a_healthy_target_turns_after_failures_in_a_row_and_back_after_passes_in_a_row():
    health, states = Health("healthy", None, None), []
    for failure in (FAILED, FAILED, None, FAILED, FAILED, FAILED, None, FAILED, None, None):
        health = judged(health, CHECK, failure, 100)
        states.append(health.state)
    assert states == ["healthy"] * 5 + ["unhealthy"] * 4 + ["healthy"]

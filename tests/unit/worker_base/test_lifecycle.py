"""What an instance asks of its group, and how it learns that it is to be taken away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.unit.worker_base.embedded_group import GROUP, EmbeddedGroup
from worker_images.base.imds import Metadata
from worker_images.base.leaving import START, Answer, Event, Leave, Phase
from worker_images.base.lifecycle import ASK_EVERY_S, InstanceLifecycle, NullLifecycle
from worker_images.base.own_group import OwnGroup, older
from worker_images.base.testing import ManualClock

UNPROTECTING = Leave(Phase.UNPROTECTING, Event.IDLE)
TERMINATING = Leave(Phase.TERMINATING, Event.IDLE)


def lifecycle(client: Any, own_id: str, endpoint: str = "http://127.0.0.1:1") -> InstanceLifecycle:
    group = OwnGroup(client, GROUP, own_id)
    return InstanceLifecycle(group, Metadata(endpoint), ManualClock())


@dataclass
class Group:
    """A group that fails every change with `error`; its instance is in `state`, None for gone."""

    error: Exception
    state: str | None = "InService"
    facts: dict[str, Any] = field(default_factory=dict)

    def set_instance_protection(self, **arguments: object) -> None:
        raise self.error

    def terminate_instance_in_auto_scaling_group(self, **arguments: object) -> None:
        raise self.error

    def describe_auto_scaling_instances(self, **arguments: object) -> dict[str, Any]:
        found = [] if self.state is None else [{"LifecycleState": self.state}]
        return {"AutoScalingInstances": found}

    def describe_auto_scaling_groups(self, **arguments: object) -> dict[str, Any]:
        return {"AutoScalingGroups": [self.facts] if self.facts else []}


def refusal(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Change")


@pytest.mark.parametrize("decrement", [True, False])
def test_an_instance_ends_itself_with_its_place_or_without(decrement: bool) -> None:
    group = EmbeddedGroup()
    leave = Leave(Phase.TERMINATING, Event.IDLE, decrement)
    assert group.lifecycle().call(leave) is Answer.DONE
    assert (group.active, group.group.desired) == ({}, 0 if decrement else 1)


def test_its_protection_is_given_up_and_taken_back() -> None:
    group = EmbeddedGroup()
    for leave, protected in ((UNPROTECTING, False), (START, True)):
        assert group.lifecycle().call(leave) is Answer.DONE
        (instance,) = group.active.values()
        assert instance.protected is protected


@pytest.mark.parametrize(
    ("code", "status", "answer"),
    [
        ("ValidationError", 400, Answer.REFUSED),
        ("AccessDenied", 403, Answer.REFUSED),
        ("Throttling", 400, Answer.UNKNOWN),
        ("ResourceContention", 500, Answer.UNKNOWN),
        ("ScalingActivityInProgress", 400, Answer.UNKNOWN),
        ("InternalFailure", 500, Answer.UNKNOWN),
    ],
)
@pytest.mark.parametrize("leave", [START, UNPROTECTING, TERMINATING])
def test_a_refusal_is_told_from_a_call_that_may_be_made_again(
    leave: Leave, code: str, status: int, answer: Answer
) -> None:
    assert lifecycle(Group(refusal(code, status)), "i-1").call(leave) is answer


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ("Pending:Wait", Answer.REFUSED),
        ("Warmed:Running", Answer.REFUSED),
        ("Terminating:Wait", Answer.LEFT),
        ("Warmed:Terminating", Answer.LEFT),
        ("Detached", Answer.LEFT),
        (None, Answer.LEFT),
    ],
)
@pytest.mark.parametrize("leave", [START, UNPROTECTING, TERMINATING])
def test_an_instance_that_is_not_in_service_yet_is_told_from_one_that_was(
    leave: Leave, state: str | None, answer: Answer
) -> None:
    assert lifecycle(Group(refusal("ValidationError"), state), "i-1").call(leave) is answer


@pytest.mark.parametrize("leave", [START, UNPROTECTING, TERMINATING])
def test_no_answer_is_an_answer_that_says_nothing(leave: Leave) -> None:
    error = ReadTimeoutError(endpoint_url="https://autoscaling")
    assert lifecycle(Group(error), "i-1").call(leave) is Answer.UNKNOWN


def test_a_deploy_outdates_an_instance_and_it_asks_every_half_minute() -> None:
    group = EmbeddedGroup()
    found = group.lifecycle()
    assert not found.outdated()
    assert found.version() == "1"
    group.deploy()
    assert not found.outdated(), "it asked a moment ago"
    assert isinstance(found.clock, ManualClock)
    found.clock.advance(ASK_EVERY_S)
    assert found.outdated()


def test_a_group_that_does_not_answer_outdates_nobody() -> None:
    group = EmbeddedGroup()
    group.deploy()

    def refuse(**arguments: object) -> None:
        raise refusal("Throttling")

    group.client.describe_auto_scaling_instances = refuse
    assert not group.lifecycle().outdated()


def version(number: str, template: str = "lt-1") -> dict[str, str]:
    return {"LaunchTemplateId": template, "Version": number}


@pytest.mark.parametrize(
    ("own", "theirs", "found"),
    [
        (version("9"), version("10"), True),
        (version("10"), version("10"), False),
        (version("11"), version("10"), False),
        (version("10"), version("1", "lt-2"), True),
        (version("1"), version("$Latest"), False),
        (version("1"), version("$Default"), False),
        ({}, version("2"), False),
        (version("1"), {}, False),
    ],
)
def test_an_instance_is_older_only_than_what_is_known_to_be_later(
    own: dict[str, str], theirs: dict[str, str], found: bool
) -> None:
    assert older(own, theirs) is found


def test_a_group_launches_from_its_mix_or_its_template() -> None:
    plain = version("3")
    policy = {"LaunchTemplate": {"LaunchTemplateSpecification": plain}}
    for facts, found in (
        ({"MixedInstancesPolicy": policy}, plain),
        ({"LaunchTemplate": plain}, plain),
        ({"LaunchConfigurationName": "lc"}, {}),
        ({}, {}),
    ):
        group = Group(refusal("ValidationError"), facts=facts)
        assert OwnGroup(group, GROUP, "i-1").template() == found


@pytest.mark.parametrize(
    ("states", "desired", "answer"),
    [
        (["InService", "Pending:Wait"], 1, Answer.SPARE),
        (["InService", "Terminating:Wait"], 1, Answer.REFUSED),
        (["InService", "Standby", "Warmed:Stopped"], 1, Answer.REFUSED),
        (["InService", "InService"], 2, Answer.REFUSED),
    ],
)
def test_a_place_refused_by_a_group_with_more_than_it_wants_is_one_to_spare(
    states: list[str], desired: int, answer: Answer
) -> None:
    instances = [{"LifecycleState": state} for state in states]
    facts = {"DesiredCapacity": desired, "Instances": instances}
    group = Group(refusal("ValidationError"), facts=facts)
    assert lifecycle(group, "i-1").call(TERMINATING) is answer
    assert lifecycle(group, "i-1").call(UNPROTECTING) is Answer.REFUSED


def test_outside_a_group_nobody_leaves() -> None:
    found = NullLifecycle()
    assert found.call(TERMINATING) is Answer.REFUSED
    assert found.call(START) is Answer.DONE
    assert not found.outdated()


class _Metadata(BaseHTTPRequestHandler):
    """The metadata service, version 2 alone; it answers what its server's `leaves` say."""

    def do_PUT(self) -> None:
        known = self.path == "/imds/latest/api/token" and int(
            self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        )
        self._answer(200 if known else 404, "a-token")

    def do_GET(self) -> None:
        if self.headers["X-aws-ec2-metadata-token"] != "a-token":
            self._answer(401, "")
            return
        leaves: dict[str, str] = self.server.leaves  # type: ignore[attr-defined]
        found = leaves.get(self.path.removeprefix("/imds/latest/meta-data/"))
        self._answer(404 if found is None else 200, found or "")

    def _answer(self, code: int, text: str) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def metadata() -> Iterator[dict[str, str]]:
    """What the metadata service answers, and its `endpoint`."""
    leaves = {
        "instance-id": "i-0123456789abcdef0",
        "autoscaling/target-lifecycle-state": "InService",
    }
    with HTTPServer(("127.0.0.1", 0), _Metadata) as server:
        server.leaves = leaves  # type: ignore[attr-defined]
        leaves["endpoint"] = f"http://127.0.0.1:{server.server_port}/imds/"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield leaves
        server.shutdown()
        thread.join()


def test_an_instance_learns_its_id_from_the_metadata_service(metadata: dict[str, str]) -> None:
    assert Metadata(metadata["endpoint"]).instance_id() == "i-0123456789abcdef0"


@pytest.mark.parametrize(
    ("leaf", "value", "event"),
    [
        ("spot/instance-action", '{"action": "stop"}', Event.INTERRUPTION),
        ("events/recommendations/rebalance", '{"noticeTime": "x"}', Event.REBALANCE),
        ("autoscaling/target-lifecycle-state", "Terminated", Event.TAKEN),
    ],
)
def test_each_notice_is_understood(
    metadata: dict[str, str], leaf: str, value: str, event: Event
) -> None:
    service = Metadata(metadata["endpoint"])
    assert service.notice() is None
    metadata[leaf] = value
    notice = service.notice()
    assert notice is not None
    assert notice[0] is event


def test_a_recommendation_does_not_hide_the_interruption_that_follows(
    metadata: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker_images.base.lifecycle.NOTICE_EVERY_S", 0.01)
    leaves = iter(
        [
            ("events/recommendations/rebalance", "{}"),
            ("spot/instance-action", "{}"),
            ("autoscaling/target-lifecycle-state", "Terminated"),
        ]
    )
    events: list[Event] = []
    over = threading.Event()

    def noticed(event: Event, reason: str) -> None:
        events.append(event)
        for leaf, value in leaves:
            metadata[leaf] = value
            return
        over.set()

    found = lifecycle(None, "i-1", metadata["endpoint"])
    metadata.update([next(leaves)])
    found.watch(noticed)
    assert over.wait(10)
    assert events == [Event.REBALANCE, Event.INTERRUPTION, Event.TAKEN]

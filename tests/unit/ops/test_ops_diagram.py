"""The picture follows the templates: boxes, arrows, and what does not belong."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from ops.diagram import draw
from ops.diagram.bundles import bundle, frame_key
from ops.diagram.graph import INTERNET, Edge, Graph, build
from ops.diagram.nodes import Node
from ops.diagram.templates import Templates
from ops.errors import OperatorError


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def allow(actions: list[str], on: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": on}
    return resource(
        "IAM::Policy", PolicyDocument={"Statement": [statement]}, Roles=[{"Ref": "Role"}]
    )


TEMPLATES: dict[str, dict[str, Any]] = {
    "queues": {
        "Resources": {
            "Dead": resource("SQS::Queue", QueueName="jobs-dlq"),
            "Jobs": resource("SQS::Queue", QueueName="jobs", RedrivePolicy={"maxReceiveCount": 10}),
        },
        "Outputs": {
            "Out": {"Value": {"Fn::GetAtt": ["Jobs", "Arn"]}, "Export": {"Name": "queues:Jobs"}}
        },
    },
    "workers": {
        "Resources": {
            "Role": resource("IAM::Role"),
            "Profile": resource("IAM::InstanceProfile", Roles=[{"Ref": "Role"}]),
            "Template": resource(
                "EC2::LaunchTemplate",
                LaunchTemplateData={
                    "InstanceType": "c7g.large",
                    "IamInstanceProfile": {"Arn": {"Fn::GetAtt": ["Profile", "Arn"]}},
                    "SecurityGroupIds": [{"Fn::GetAtt": ["Guard", "GroupId"]}],
                },
            ),
            "Guard": resource(
                "EC2::SecurityGroup",
                SecurityGroupIngress=[{"CidrIp": "0.0.0.0/0", "FromPort": 443}],
            ),
            "Fleet": resource(
                "AutoScaling::AutoScalingGroup",
                AutoScalingGroupName="fleet",
                MinSize="0",
                MaxSize="3",
                LaunchTemplate={"LaunchTemplateId": {"Ref": "Template"}},
            ),
            "Policy": allow(["sqs:ReceiveMessage"], {"Fn::ImportValue": "queues:Jobs"}),
        }
    },
    "scaling": {
        "Resources": {
            "Role": resource("IAM::Role"),
            "Metric": resource(
                "Lambda::Function",
                Handler="lambdas.queue_depth_metric.handler.handler",
                FunctionName="metric",
                Runtime="python3.13",
                Role={"Fn::GetAtt": ["Role", "Arn"]},
            ),
            "Policy": allow(
                ["autoscaling:SetDesiredCapacity"],
                "arn:aws:autoscaling:r:1:autoScalingGroup:*:autoScalingGroupName/fleet",
            ),
            "Rate": resource(
                "Events::Rule",
                Name="every-minute",
                ScheduleExpression="rate(1 minute)",
                Targets=[{"Arn": {"Fn::GetAtt": ["Metric", "Arn"]}}],
            ),
        }
    },
}
FLEET, JOBS = ("workers", "Fleet"), ("queues", "Jobs")
METRIC, RATE = ("scaling", "Metric"), ("scaling", "Rate")


def graph(**changes: Any) -> Graph:
    return build(Templates({**TEMPLATES, **changes}))


def test_permissions_ports_and_schedules_become_arrows() -> None:
    assert set(graph().edges) == {
        Edge(JOBS, FLEET, "receive"),
        Edge(METRIC, FLEET, "raise capacity"),
        Edge(RATE, METRIC, ""),
        Edge(INTERNET, FLEET, "port 443"),
    }


def test_a_withdrawn_permission_takes_its_arrow_away() -> None:
    workers = copy.deepcopy(TEMPLATES["workers"])
    del workers["Resources"]["Policy"]
    assert Edge(JOBS, FLEET, "receive") not in graph(workers=workers).edges


def test_boxes_say_what_the_template_says() -> None:
    boxes = {node.key: (node.title, node.detail) for node in graph().nodes}
    assert boxes[FLEET] == ("fleet", "0 to 3 × c7g.large")
    assert boxes[JOBS] == ("jobs", "dead letters after 10 receives")
    assert ("queues", "Dead") not in boxes


def test_an_arrow_to_every_box_of_a_frame_goes_to_the_frame() -> None:
    queues = [Node(("q", name), "queue", name, "") for name in "ab"]
    source = ("x", "api")
    nodes = (Node(source, "api", "api", ""), *queues)
    whole = tuple(Edge(source, queue.key, "send") for queue in queues)

    assert bundle(Graph(nodes, whole)).edges == (Edge(source, frame_key("queue"), "send"),)
    assert bundle(Graph(nodes, whole[:1])).edges == whole[:1]


def test_the_picture_is_well_formed_and_the_same_each_time(tmp_path: Path) -> None:
    for name, template in TEMPLATES.items():
        (tmp_path / f"{name}.template.json").write_text(json.dumps(template))
    drawn = draw(tmp_path)
    assert drawn == draw(tmp_path)
    texts = [element.text for element in ET.fromstring(drawn).iter() if element.text]  # noqa: S314
    assert {"fleet", "jobs", "metric", "receive", "raise capacity"} <= set(texts)


def test_an_assembly_without_templates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no templates"):
        draw(tmp_path)

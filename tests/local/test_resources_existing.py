"""A stack creates what it names: something of that name that is there fails it, and stays whole."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from local.server import EmbeddedAws
from tests.local.stacks import QUEUE, Stacks, parameter, resource, template

ROLE = "arn:aws:iam::123456789012:role/function"
SEOUL = {"LocationConstraint": "ap-northeast-2"}
CODE = "def handler(event, context): return 1"
ALARM = {
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 1,
    "MetricName": "Depth",
    "Namespace": "Academy",
    "Period": 60,
    "Statistic": "Maximum",
    "Threshold": 1.0,
}
EVERY_MINUTE = "rate(1 minute)"


@pytest.fixture
def stacks(aws: EmbeddedAws) -> Stacks:
    return Stacks(aws)


def _zipped() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("index.py", CODE)
    return archive.getvalue()


def _role(clients: Any) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    clients("iam").create_role(RoleName="function", AssumeRolePolicyDocument=trust)


def _function(clients: Any) -> None:
    _role(clients)
    clients("lambda").create_function(
        FunctionName="it",
        Role=ROLE,
        Runtime="python3.13",
        Handler="index.handler",
        Code={"ZipFile": _zipped()},
    )


def _group(clients: Any) -> None:
    data = {"ImageId": "ami-12c6146b", "InstanceType": "t4g.small"}
    clients("ec2").create_launch_template(LaunchTemplateName="shape", LaunchTemplateData=data)
    clients("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="it",
        LaunchTemplate={"LaunchTemplateName": "shape", "Version": "1"},
        MinSize=0,
        MaxSize=1,
        AvailabilityZones=["ap-northeast-2a"],
    )


#: What makes the foreign one, and the resource of the same name.
CASES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "queue": (lambda c: c("sqs").create_queue(QueueName="it"), resource(QUEUE, QueueName="it")),
    "bucket": (
        lambda c: c("s3").create_bucket(Bucket="bucket-it", CreateBucketConfiguration=SEOUL),
        resource("AWS::S3::Bucket", BucketName="bucket-it"),
    ),
    "parameter": (
        lambda c: c("ssm").put_parameter(Name="/it", Value="theirs", Type="String"),
        parameter("ours", Name="/it"),
    ),
    "log group": (
        lambda c: c("logs").create_log_group(logGroupName="it"),
        resource("AWS::Logs::LogGroup", LogGroupName="it"),
    ),
    "function": (
        _function,
        resource(
            "AWS::Lambda::Function",
            FunctionName="it",
            Role=ROLE,
            Runtime="python3.13",
            Handler="index.handler",
            Code={"ZipFile": CODE},
        ),
    ),
    "group": (
        _group,
        resource(
            "AWS::AutoScaling::AutoScalingGroup",
            AutoScalingGroupName="it",
            LaunchTemplate={"LaunchTemplateName": "shape", "Version": "1"},
            MinSize="0",
            MaxSize="1",
        ),
    ),
    "topic": (
        lambda c: c("sns").create_topic(Name="it"),
        resource("AWS::SNS::Topic", TopicName="it"),
    ),
    "rule": (
        lambda c: c("events").put_rule(Name="it", ScheduleExpression=EVERY_MINUTE),
        resource("AWS::Events::Rule", Name="it", ScheduleExpression=EVERY_MINUTE),
    ),
    "alarm": (
        lambda c: c("cloudwatch").put_metric_alarm(AlarmName="it", **ALARM),
        resource("AWS::CloudWatch::Alarm", AlarmName="it", **ALARM),
    ),
    "dashboard": (
        lambda c: c("cloudwatch").put_dashboard(DashboardName="it", DashboardBody="{}"),
        resource("AWS::CloudWatch::Dashboard", DashboardName="it", DashboardBody="{}"),
    ),
    "cache subnets": (
        lambda c: c("elasticache").create_cache_subnet_group(
            CacheSubnetGroupName="it", CacheSubnetGroupDescription="theirs", SubnetIds=["subnet-1"]
        ),
        resource(
            "AWS::ElastiCache::SubnetGroup",
            CacheSubnetGroupName="it",
            Description="ours",
            SubnetIds=["subnet-1"],
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_something_of_that_name_fails_the_create_and_outlives_its_rollback(
    aws: EmbeddedAws, stacks: Stacks, case: str
) -> None:
    make, ours = CASES[case]
    make(aws.clients.client)

    assert stacks.create("line", template({"It": ours}))["StackStatus"] == "ROLLBACK_COMPLETE"

    events = stacks.api.describe_stack_events(StackName="line")["StackEvents"]
    [reason] = [
        event["ResourceStatusReason"]
        for event in events
        if event["ResourceStatus"] == "CREATE_FAILED"
    ]
    assert "already" in reason.lower(), reason
    stacks.api.delete_stack(StackName="line")
    again = stacks.create("again", template({"It": ours}))
    assert again["StackStatus"] == "ROLLBACK_COMPLETE", "the foreign one was deleted"


def test_a_replacement_of_the_same_name_is_refused_and_the_queue_keeps_its_messages(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    """Its name moves to another logical id: CloudFormation creates before it deletes."""
    stacks.create("line", template({"Old": resource(QUEUE, QueueName="jobs")}))
    sqs = aws.clients.client("sqs")
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="job")

    after = stacks.update("line", template({"New": resource(QUEUE, QueueName="jobs")}))

    assert after["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.physical_id("line", "Old") == url
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url)["Messages"]] == ["job"]


def test_a_create_that_failed_otherwise_can_be_tried_again(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    """What a failed try made is gone, so that the next one does not meet it."""
    bad = {"Jobs": resource(QUEUE, QueueName="jobs", VisibilityTimeout=99_999)}
    assert stacks.create("line", template(bad))["StackStatus"] == "ROLLBACK_COMPLETE"
    stacks.api.delete_stack(StackName="line")
    good = {"Jobs": resource(QUEUE, QueueName="jobs", VisibilityTimeout=9)}
    assert stacks.create("line", template(good))["StackStatus"] == "CREATE_COMPLETE"


def test_a_maximum_size_that_leaves_the_template_is_sqs_default_again(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    named = {"QueueName": "jobs", "DelaySeconds": 1}
    stacks.create("line", template({"Q": resource(QUEUE, **named, MaximumMessageSize=2048)}))
    stacks.update("line", template({"Q": resource(QUEUE, **named)}))
    sqs = aws.clients.client("sqs")
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["MaximumMessageSize"])
    assert found["Attributes"] == {"MaximumMessageSize": "1048576"}

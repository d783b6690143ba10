"""Every resource type that a template may hold: priced, or free with the reason.

A type in neither stops the estimate: a bill that leaves something out is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ops.cost import machines, network, stores, watching
from ops.cost.estate import Month, Resource
from ops.cost.model import Need

Pricer = Callable[[Resource, Month], Iterator[Need]]

PRICED: dict[str, Pricer] = {
    "AWS::AutoScaling::AutoScalingGroup": machines.group,
    "AWS::AutoScaling::WarmPool": machines.warm_pool,
    "AWS::Backup::BackupPlan": stores.backup_plan,
    "AWS::CloudWatch::Alarm": watching.alarm,
    "AWS::CloudWatch::CompositeAlarm": watching.composite,
    "AWS::CloudWatch::Dashboard": watching.dashboard,
    "AWS::EC2::Instance": machines.instance,
    "AWS::EC2::NatGateway": network.nat_gateway,
    "AWS::EC2::VPCEndpoint": network.endpoint,
    "AWS::ECR::Repository": stores.repository,
    "AWS::ECS::Service": machines.tasks,
    "AWS::ElastiCache::ReplicationGroup": stores.redis,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": network.load_balancer,
    "AWS::Events::Rule": machines.rule,
    "AWS::KMS::Key": stores.key,
    "AWS::Logs::MetricFilter": watching.metric_filter,
    "AWS::RDS::DBInstance": stores.database,
    "AWS::SecretsManager::Secret": stores.secret,
    "AWS::WAFv2::WebACL": network.web_acl,
}

_CONFIGURATION = "configuration of another resource"
_BY_USE = "paid by use, which the assumptions hold"
_IDENTITY = "identity and rights cost nothing"
FREE: dict[str, str] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": _CONFIGURATION,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _CONFIGURATION,
    "AWS::AutoScaling::LifecycleHook": _CONFIGURATION,
    "AWS::AutoScaling::ScalingPolicy": _CONFIGURATION,
    "AWS::Backup::BackupSelection": _CONFIGURATION,
    "AWS::Backup::BackupVault": "the plan's rules say what lies in it",
    "AWS::Backup::LogicallyAirGappedBackupVault": "the plan's rules say what lies in it",
    "AWS::Budgets::Budget": "a budget without actions costs nothing",
    "AWS::CertificateManager::Certificate": "public certificates cost nothing",
    "AWS::CloudFront::Distribution": _BY_USE,
    "AWS::CloudFront::CachePolicy": _CONFIGURATION,
    "AWS::CloudFront::CloudFrontOriginAccessIdentity": _IDENTITY,
    "AWS::CloudFront::Function": "2 million runs a month are free; a page view is one",
    "AWS::CloudFront::KeyGroup": _CONFIGURATION,
    "AWS::CloudFront::OriginAccessControl": _IDENTITY,
    "AWS::CloudFront::OriginRequestPolicy": _CONFIGURATION,
    "AWS::CloudFront::PublicKey": _CONFIGURATION,
    "AWS::CloudFront::ResponseHeadersPolicy": _CONFIGURATION,
    "AWS::CloudFront::VpcOrigin": _CONFIGURATION,
    "AWS::CloudFormation::WaitCondition": _CONFIGURATION,
    "AWS::CloudFormation::WaitConditionHandle": _CONFIGURATION,
    "AWS::EC2::EIP": "the address is counted with its NAT gateway",
    "AWS::EC2::FlowLog": _BY_USE,
    "AWS::EC2::InternetGateway": _CONFIGURATION,
    "AWS::EC2::LaunchTemplate": "counted with its group",
    "AWS::EC2::NetworkAcl": _CONFIGURATION,
    "AWS::EC2::Route": _CONFIGURATION,
    "AWS::EC2::RouteTable": _CONFIGURATION,
    "AWS::EC2::SecurityGroup": _CONFIGURATION,
    "AWS::EC2::SecurityGroupEgress": _CONFIGURATION,
    "AWS::EC2::SecurityGroupIngress": _CONFIGURATION,
    "AWS::EC2::Subnet": _CONFIGURATION,
    "AWS::EC2::SubnetRouteTableAssociation": _CONFIGURATION,
    "AWS::EC2::VPC": _CONFIGURATION,
    "AWS::EC2::VPCGatewayAttachment": _CONFIGURATION,
    "AWS::ECS::Cluster": "its tasks are counted with their service",
    "AWS::ECS::TaskDefinition": "counted with its service",
    "AWS::ElastiCache::ParameterGroup": _CONFIGURATION,
    "AWS::ElastiCache::SubnetGroup": _CONFIGURATION,
    "AWS::ElasticLoadBalancingV2::Listener": _CONFIGURATION,
    "AWS::ElasticLoadBalancingV2::ListenerRule": _CONFIGURATION,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _CONFIGURATION,
    "AWS::IAM::InstanceProfile": _IDENTITY,
    "AWS::IAM::ManagedPolicy": _IDENTITY,
    "AWS::IAM::OIDCProvider": _IDENTITY,
    "AWS::IAM::Policy": _IDENTITY,
    "AWS::IAM::Role": _IDENTITY,
    "AWS::KMS::Alias": _CONFIGURATION,
    "AWS::Lambda::EventInvokeConfig": _CONFIGURATION,
    "AWS::Lambda::Function": "counted with the schedule that runs it; a deploy's runs are few",
    "AWS::Lambda::Permission": _IDENTITY,
    "AWS::Logs::LogGroup": _BY_USE,
    "AWS::Logs::QueryDefinition": _CONFIGURATION,
    "AWS::RDS::DBParameterGroup": _CONFIGURATION,
    "AWS::RDS::DBSubnetGroup": _CONFIGURATION,
    "AWS::S3::Bucket": _BY_USE,
    "AWS::S3::BucketPolicy": _CONFIGURATION,
    "AWS::SNS::Subscription": _BY_USE,
    "AWS::SNS::Topic": _BY_USE,
    "AWS::SNS::TopicPolicy": _CONFIGURATION,
    "AWS::SQS::Queue": _BY_USE,
    "AWS::SQS::QueuePolicy": _CONFIGURATION,
    "AWS::SSM::Parameter": "standard parameters cost nothing",
    "AWS::SecretsManager::ResourcePolicy": _CONFIGURATION,
    "AWS::SecretsManager::RotationSchedule": _CONFIGURATION,
    "AWS::SecretsManager::SecretTargetAttachment": _CONFIGURATION,
    "AWS::WAFv2::IPSet": _CONFIGURATION,
    "AWS::WAFv2::LoggingConfiguration": _BY_USE,
    "AWS::WAFv2::WebACLAssociation": _CONFIGURATION,
    "Custom::R2BucketSettings": "a few calls of its function in a deploy",
}

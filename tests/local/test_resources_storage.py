"""Buckets, queues, parameters, secrets, databases, caches: what handlers do beyond creating."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from tests.local.account import Account

BUCKET, POLICY = "AWS::S3::Bucket", "AWS::S3::BucketPolicy"
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::lectures", "arn:aws:s3:::lectures/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
CORS = {"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAge": 60}]}


@pytest.fixture
def account() -> Account:
    return Account()


def _code(error: Any) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_tls_only_policy_reads_back_whole_and_locks_nobody_out(account: Account) -> None:
    document = {"Version": "2012-10-17", "Statement": [TLS_ONLY]}
    account.create(BUCKET, BucketName="lectures")
    account.create(POLICY, Bucket="lectures", PolicyDocument=document)
    s3 = account.client("s3")

    s3.put_object(Bucket="lectures", Key="a", Body=b"1")

    assert s3.get_object(Bucket="lectures", Key="a")["Body"].read() == b"1"
    assert json.loads(s3.get_bucket_policy(Bucket="lectures")["Policy"]) == document


def test_an_unconditional_deny_still_denies(account: Account) -> None:
    deny = {**TLS_ONLY, "Action": "s3:PutObject"}
    del deny["Condition"]
    account.create(BUCKET, BucketName="lectures")
    account.create(POLICY, Bucket="lectures", PolicyDocument={"Statement": [TLS_ONLY, deny]})

    with pytest.raises(ClientError) as error:
        account.client("s3").put_object(Bucket="lectures", Key="a", Body=b"1")

    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_setting_that_leaves_the_template_leaves_the_bucket(account: Account) -> None:
    versioned = {"Status": "Enabled"}
    old = {"BucketName": "bbb", "CorsConfiguration": CORS, "VersioningConfiguration": versioned}
    made = account.create(BUCKET, **old)

    account.update(BUCKET, made, old, {"BucketName": "bbb"})

    s3 = account.client("s3")
    assert s3.get_bucket_versioning(Bucket="bbb")["Status"] == "Suspended"
    with pytest.raises(ClientError) as error:
        s3.get_bucket_cors(Bucket="bbb")
    assert _code(error) == "NoSuchCORSConfiguration"


def test_lifecycle_filters_by_tag_and_by_prefix_and_tag(account: Account) -> None:
    tag = {"Key": "lifecycle", "Value": "expire"}
    rules = [
        {"Id": "tag", "Status": "Enabled", "ExpirationInDays": 30, "TagFilters": [tag]},
        {
            "Id": "both",
            "Status": "Enabled",
            "Prefix": "raw/",
            "TagFilters": [tag],
            "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": "7"}],
        },
    ]

    account.create(BUCKET, BucketName="bbb", LifecycleConfiguration={"Rules": rules})

    stored = account.client("s3").get_bucket_lifecycle_configuration(Bucket="bbb")["Rules"]
    assert stored[0]["Filter"] == {"Tag": tag}
    assert stored[1]["Filter"] == {"And": {"Prefix": "raw/", "Tags": [tag]}}
    assert stored[1]["Transitions"] == [{"Days": 7, "StorageClass": "GLACIER"}]


def test_an_unknown_nested_property_fails_by_name_and_leaves_no_bucket(account: Account) -> None:
    rules = [{"Id": "x", "Status": "Enabled", "ExpirationInDays": 1, "Whenever": True}]

    with pytest.raises(ParamValidationError, match="Whenever"):
        account.create(BUCKET, BucketName="bbb", LifecycleConfiguration={"Rules": rules})

    assert account.client("s3").list_buckets()["Buckets"] == []


def test_a_bucket_with_objects_is_not_deleted_and_a_missing_one_is_fine(account: Account) -> None:
    made = account.create(BUCKET, BucketName="bbb")
    s3 = account.client("s3")
    s3.put_object(Bucket="bbb", Key="a", Body=b"1")

    with pytest.raises(ClientError) as error:
        account.delete(BUCKET, made)
    assert _code(error) == "BucketNotEmpty"

    s3.delete_object(Bucket="bbb", Key="a")
    account.delete(BUCKET, made)
    account.delete(BUCKET, made)


def test_queue_attributes_change_in_place_and_fall_back_to_sqs_defaults(account: Account) -> None:
    old = {"QueueName": "jobs", "VisibilityTimeout": "300", "DelaySeconds": 5}
    made = account.create("AWS::SQS::Queue", **old)
    sqs = account.client("sqs")
    sqs.send_message(QueueUrl=made.physical_id, MessageBody="kept", DelaySeconds=0)

    new = {"QueueName": "jobs", "VisibilityTimeout": 60}
    after = account.update("AWS::SQS::Queue", made, old, new)

    found = sqs.get_queue_attributes(QueueUrl=after.physical_id, AttributeNames=["All"])
    attributes = found["Attributes"]
    assert after.physical_id == made.physical_id
    assert (attributes["VisibilityTimeout"], attributes["DelaySeconds"]) == ("60", "0")
    assert attributes["ApproximateNumberOfMessages"] == "1"


def test_an_update_never_generates_a_secret_anew(account: Account) -> None:
    rules = {"PasswordLength": 20, "ExcludePunctuation": True}
    old = {"Description": "a", "GenerateSecretString": rules}
    made = account.create("AWS::SecretsManager::Secret", **old)
    secrets = account.client("secretsmanager")
    value = secrets.get_secret_value(SecretId=made.physical_id)["SecretString"]

    longer = {"Description": "b", "GenerateSecretString": {"PasswordLength": 40}}
    account.update("AWS::SecretsManager::Secret", made, old, longer)

    after = secrets.get_secret_value(SecretId=made.physical_id)["SecretString"]
    assert (len(value), after) == (20, value)
    assert secrets.describe_secret(SecretId=made.physical_id)["Description"] == "b"


def test_a_parameter_is_overwritten_in_place_and_never_taken_over(account: Account) -> None:
    old = {"Name": "/academy/x", "Type": "String", "Value": "1"}
    made = account.create("AWS::SSM::Parameter", **old)

    account.update("AWS::SSM::Parameter", made, old, {**old, "Value": 2})

    ssm = account.client("ssm")
    assert ssm.get_parameter(Name="/academy/x")["Parameter"]["Value"] == "2"
    with pytest.raises(ClientError) as error:
        account.create("AWS::SSM::Parameter", **old)
    assert _code(error) == "ParameterAlreadyExists"


DATABASE = {
    "DBInstanceIdentifier": "db",
    "Engine": "postgres",
    "EngineVersion": "16",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": "20",
    "DBName": "academy",
    "MasterUsername": "academy",
    "MasterUserPassword": "from-the-secret",
}


def test_a_database_runs_with_its_secret_and_answers_its_real_endpoint(account: Account) -> None:
    made = account.create("AWS::RDS::DBInstance", **DATABASE)

    running = account.fakes.databases_running["db"]
    assert running == {
        "user": "academy",
        "password": "from-the-secret",
        "db_name": "academy",
        "parameters": {},
    }
    described = account.client("rds").describe_db_instances(DBInstanceIdentifier="db")
    endpoint = described["DBInstances"][0]["Endpoint"]
    assert (endpoint["Address"], endpoint["Port"]) == ("localhost", 15432)
    assert made.attributes["Endpoint.Port"] == "15432"


def test_a_protected_database_is_not_deleted_and_goes_on_running(account: Account) -> None:
    made = account.create("AWS::RDS::DBInstance", **DATABASE, DeletionProtection=True)

    with pytest.raises(ClientError):
        account.delete("AWS::RDS::DBInstance", made, **DATABASE)

    assert "db" in account.fakes.databases_running


def test_a_secret_attached_to_a_database_tells_where_it_listens(account: Account) -> None:
    rules = {"SecretStringTemplate": '{"username": "academy"}', "GenerateStringKey": "password"}
    secret = account.create("AWS::SecretsManager::Secret", GenerateSecretString=rules)
    database = account.create("AWS::RDS::DBInstance", **DATABASE)

    account.create(
        "AWS::SecretsManager::SecretTargetAttachment",
        SecretId=secret.physical_id,
        TargetId=database.physical_id,
        TargetType="AWS::RDS::DBInstance",
    )

    secrets = account.client("secretsmanager")
    value = json.loads(secrets.get_secret_value(SecretId=secret.physical_id)["SecretString"])
    assert (value["username"], value["host"], value["port"]) == ("academy", "localhost", 15432)
    assert value["password"]


CACHE = {"ReplicationGroupId": "redis", "ReplicationGroupDescription": "locks", "Engine": "redis"}


def test_a_cache_runs_where_it_says_and_stops_when_deleted(account: Account) -> None:
    made = account.create("AWS::ElastiCache::ReplicationGroup", **CACHE)

    assert made.attributes["PrimaryEndPoint.Address"] == "localhost"
    assert made.attributes["PrimaryEndPoint.Port"] == "16379"
    account.delete("AWS::ElastiCache::ReplicationGroup", made, **CACHE)
    account.delete("AWS::ElastiCache::ReplicationGroup", made, **CACHE)
    assert account.fakes.caches_running == set()
    found = account.client("elasticache").describe_replication_groups()
    assert found["ReplicationGroups"] == []


def test_a_cache_subnet_group_in_use_is_not_deleted(account: Account) -> None:
    group = {"CacheSubnetGroupName": "nets", "Description": "d", "SubnetIds": ["subnet-1"]}
    made = account.create("AWS::ElastiCache::SubnetGroup", **group)
    account.create(
        "AWS::ElastiCache::ReplicationGroup", **CACHE, CacheSubnetGroupName=made.physical_id
    )

    with pytest.raises(ClientError) as error:
        account.delete("AWS::ElastiCache::SubnetGroup", made, **group)

    assert _code(error) == "CacheSubnetGroupInUse"


def test_cache_parameters_are_set_and_reset(account: Account) -> None:
    old = {"CacheParameterGroupFamily": "redis7", "Description": "d"}
    with_values = {**old, "Properties": {"maxmemory-policy": "noeviction", "timeout": "60"}}
    made = account.create("AWS::ElastiCache::ParameterGroup", **with_values)

    account.update(
        "AWS::ElastiCache::ParameterGroup", made, with_values, {**old, "Properties": {"timeout": 5}}
    )

    found = account.client("elasticache").describe_cache_parameters(
        CacheParameterGroupName=made.physical_id
    )["Parameters"]
    assert found == [{"ParameterName": "timeout", "ParameterValue": "5"}]


def test_database_parameters_are_set_and_reset(account: Account) -> None:
    group = {"DBParameterGroupName": "pg", "Family": "postgres16", "Description": "d"}
    old = {**group, "Parameters": {"rds.force_ssl": "1", "log_statement": "all"}}
    made = account.create("AWS::RDS::DBParameterGroup", **old)

    new = {**group, "Parameters": {"log_statement": "ddl"}}
    account.update("AWS::RDS::DBParameterGroup", made, old, new)

    found = account.client("rds").describe_db_parameters(DBParameterGroupName="pg")["Parameters"]
    values = {item["ParameterName"]: item["ParameterValue"] for item in found}
    assert values == {"log_statement": "ddl"}

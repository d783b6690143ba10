"""Buckets, database, Redis: private, encrypted, and kept where data is kept."""

from __future__ import annotations

from typing import Any

from config.contracts.storage_keys import EXPIRE_ORIGINAL_TAG
from config.settings import load_settings
from tests.conftest import Templates
from tests.snapshots.pin import STATEFUL
from tests.templates import only, properties, resources, strings, text


def stateful(templates: Templates) -> dict[str, dict[str, Any]]:
    """Return stateful resources by `<stack>/<logical id>`."""
    return {
        f"{stack}/{name}": resource
        for stack, template in templates.items()
        for kind in STATEFUL
        for name, resource in resources(template, kind).items()
    }


def test_data_outlives_its_stack_where_it_is_protected(
    templates: Templates, environment: str
) -> None:
    """What a failed first deploy made goes; the database is protected from its first moment."""
    is_kept = load_settings(environment).protect_data
    for name, resource in stateful(templates).items():
        protected = resource["Type"] == "AWS::RDS::DBInstance"
        kept = "Retain" if protected else "RetainExceptOnCreate"
        assert resource["DeletionPolicy"] == (kept if is_kept else "Delete"), name
        assert resource["UpdateReplacePolicy"] == ("Retain" if is_kept else "Delete"), name


def test_the_database_cannot_be_deleted_where_data_is_protected(
    templates: Templates, environment: str
) -> None:
    database = only(templates["data"], "AWS::RDS::DBInstance")
    assert database["DeletionProtection"] is load_settings(environment).protect_data
    assert database["StorageEncrypted"] is True
    assert database["PubliclyAccessible"] is False
    assert database["EngineVersion"] == "16"


def test_passwords_are_generated_and_stand_in_no_template(templates: Templates) -> None:
    database = only(templates["data"], "AWS::RDS::DBInstance")
    assert text(database["MasterUserPassword"]).startswith("{{resolve:secretsmanager:")
    for template in templates.values():
        for secret in properties(template, "AWS::SecretsManager::Secret"):
            assert "SecretString" not in secret
            assert "PasswordLength" in secret["GenerateSecretString"]


def test_default_passwords_stand_nowhere(templates: Templates) -> None:
    for template in templates.values():
        for found in strings(template):
            assert found not in {"admin123", "changeme"}


def test_buckets_are_private_encrypted_and_refuse_plain_http(local: Templates) -> None:
    template = local["storage"]
    buckets = resources(template, "AWS::S3::Bucket")
    assert {found["Properties"]["BucketName"] for found in buckets.values()} == {
        "academy-ai",
        "academy-video",
        "academy-excel",
        "academy-storage",
    }
    for bucket in buckets.values():
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["Properties"]["BucketEncryption"]
    denied = {
        text(policy["Bucket"])
        for policy in properties(template, "AWS::S3::BucketPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert denied == {f"<{name}>" for name in buckets}


def rules_of(template: dict[str, Any], bucket: str) -> dict[str, dict[str, Any]]:
    """Return a bucket's lifecycle rules by id."""
    [found] = [b for b in properties(template, "AWS::S3::Bucket") if b["BucketName"] == bucket]
    return {rule["Id"]: rule for rule in found["LifecycleConfiguration"]["Rules"]}


def test_only_originals_of_finished_videos_expire_and_hls_never(local: Templates) -> None:
    rules = rules_of(local["storage"], "academy-video")
    assert set(rules) == {
        "abort-unfinished-uploads",
        "expire-old-versions",
        "expire-finished-originals",
    }
    key, value = EXPIRE_ORIGINAL_TAG
    expiring = rules["expire-finished-originals"]
    assert expiring["TagFilters"] == [{"Key": key, "Value": value}]
    assert expiring["ExpirationInDays"] == 30
    assert [name for name, rule in rules.items() if "ExpirationInDays" in rule] == [
        "expire-finished-originals"
    ]


def test_excel_exports_go_after_a_day_and_uploads_stay(local: Templates) -> None:
    rules = rules_of(local["storage"], "academy-excel")
    expiring = [rule for rule in rules.values() if "ExpirationInDays" in rule]
    assert [(rule["Prefix"], rule["ExpirationInDays"]) for rule in expiring] == [("exports/", 1)]


def test_browsers_may_upload_in_parts(local: Templates) -> None:
    [video] = [
        found
        for found in properties(local["storage"], "AWS::S3::Bucket")
        if found["BucketName"] == "academy-video"
    ]
    [rule] = video["CorsConfiguration"]["CorsRules"]
    assert sorted(rule["AllowedMethods"]) == ["DELETE", "GET", "HEAD", "POST", "PUT"]
    assert rule["ExposedHeaders"] == ["ETag"]
    assert rule["MaxAge"] == 3600


def test_on_r2_a_function_applies_lifecycle_and_cors(prod: Templates) -> None:
    template = prod["storage"]
    assert resources(template, "AWS::S3::Bucket") == {}
    found = {p["Bucket"]: p for p in properties(template, "Custom::R2BucketSettings")}
    assert set(found) == {"academy-ai", "academy-video", "academy-excel", "academy-storage"}
    for settings in found.values():
        assert set(settings) == {
            "ServiceToken",
            "Bucket",
            "LifecycleRules",
            "CorsRules",
            "Endpoint",
            "CredentialsSecretArn",
        }
    assert found["academy-video"]["CorsRules"][0]["AllowedOrigins"] == [
        "https://hakwonplus.com",
        "https://api.hakwonplus.com",
    ]
    prefixes = {
        rule["Filter"]["Prefix"]: rule.get("Expiration")
        for rule in found["academy-excel"]["LifecycleRules"]
    }
    assert prefixes == {"": None, "exports/": {"Days": 1}}


def test_the_r2_function_loads_what_the_template_hands_it(prod: Templates) -> None:
    from lambdas.r2_bucket_settings.request import parse

    for given in properties(prod["storage"], "Custom::R2BucketSettings"):
        event = {**given, "CredentialsSecretArn": text(given["CredentialsSecretArn"])}
        assert parse(event).bucket == given["Bucket"]

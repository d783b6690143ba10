"""S3, ECR, KMS."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from tests.local.properties.reader import Properties, Reader, chosen


def _unless_missing(call: Any, **arguments: Any) -> dict[str, Any] | None:
    try:
        answer: dict[str, Any] = call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if "NoSuch" in code or "NotFound" in code:
            return None
        raise
    return answer


def _bucket(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    s3 = aws.client("s3")
    found: dict[str, Any] = {"BucketName": name}
    if answer := _unless_missing(s3.get_bucket_encryption, Bucket=name):
        rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
        found["BucketEncryption"] = {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": r["ApplyServerSideEncryptionByDefault"]}
                for r in rules
            ]
        }
    found["VersioningConfiguration"] = chosen(s3.get_bucket_versioning(Bucket=name), "Status")
    if answer := _unless_missing(s3.get_bucket_lifecycle_configuration, Bucket=name):
        found["LifecycleConfiguration"] = {"Rules": [_rule(rule) for rule in answer["Rules"]]}
    if answer := _unless_missing(s3.get_bucket_cors, Bucket=name):
        found["CorsConfiguration"] = {"CorsRules": [_cors(rule) for rule in answer["CORSRules"]]}
    if answer := _unless_missing(s3.get_public_access_block, Bucket=name):
        found["PublicAccessBlockConfiguration"] = answer["PublicAccessBlockConfiguration"]
    if answer := _unless_missing(s3.get_bucket_ownership_controls, Bucket=name):
        found["OwnershipControls"] = answer["OwnershipControls"]
    if answer := _unless_missing(s3.get_bucket_tagging, Bucket=name):
        found["Tags"] = answer["TagSet"]
    grants = s3.get_bucket_acl(Bucket=name)["Grants"]
    if [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]:
        found["AccessControl"] = "Private"
    return found


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    found = {k: v for k, v in rule.items() if k not in {"ID", "Filter", "Expiration"}}
    found["Id"] = rule["ID"]
    conditions = rule.get("Filter", {})
    conditions = conditions.get("And", conditions)
    tags = conditions.get("Tags", [conditions["Tag"]] if "Tag" in conditions else [])
    if tags:
        found["TagFilters"] = tags
    found |= chosen(conditions, "Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
    names = {"Days": "ExpirationInDays", "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}
    expiration = rule.get("Expiration", {})
    found |= {names[key]: value for key, value in expiration.items() if key in names}
    return found


def _cors(rule: dict[str, Any]) -> dict[str, Any]:
    names = {"ID": "Id", "ExposeHeaders": "ExposedHeaders", "MaxAgeSeconds": "MaxAge"}
    return {names.get(key, key): value for key, value in rule.items()}


def _bucket_attributes(aws: Any, name: str) -> dict[str, Any]:
    aws.client("s3").head_bucket(Bucket=name)
    return {"Arn": f"arn:aws:s3:::{name}"}


def _bucket_policy(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    policy = aws.client("s3").get_bucket_policy(Bucket=name)["Policy"]
    return {"Bucket": name, "PolicyDocument": json.loads(policy)}


def _repository(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    ecr = aws.client("ecr")
    found = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    shown = {"RepositoryName": name, "ImageTagMutability": found["imageTagMutability"]}
    scanning = found["imageScanningConfiguration"]
    shown["ImageScanningConfiguration"] = {"ScanOnPush": scanning["scanOnPush"]}
    if answer := _unless_missing(ecr.get_lifecycle_policy, repositoryName=name):
        shown["LifecyclePolicy"] = {"LifecyclePolicyText": answer["lifecyclePolicyText"]}
    if answer := _unless_missing(ecr.get_repository_policy, repositoryName=name):
        shown["RepositoryPolicyText"] = answer["policyText"]
    return shown


def _repository_attributes(aws: Any, name: str) -> dict[str, Any]:
    found = aws.client("ecr").describe_repositories(repositoryNames=[name])["repositories"][0]
    return {"Arn": found["repositoryArn"], "RepositoryUri": found["repositoryUri"]}


READERS = (
    Reader("AWS::S3::Bucket", _bucket, attributes=_bucket_attributes),
    Reader("AWS::S3::BucketPolicy", _bucket_policy),
    Reader("AWS::ECR::Repository", _repository, attributes=_repository_attributes),
)

"""AWS::S3: buckets and their policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.resources.base import Context
from local.resources.calls import call, missing_is_fine, renamed, tag_map, text
from local.resources.kind import Kind, Properties, changed

_RULE_NAMES = {"Id": "ID"}
_CORS_NAMES = {"Id": "ID", "ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}


def _encryption(value: Any) -> dict[str, Any]:
    rules = value["ServerSideEncryptionConfiguration"]
    names = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    key_name = {"KMSMasterKeyID": "KMSMasterKeyID"}
    converted = [renamed(rule, names) for rule in rules]
    for rule in converted:
        default = rule.get("ApplyServerSideEncryptionByDefault")
        if default is not None:
            rule["ApplyServerSideEncryptionByDefault"] = renamed(default, key_name)
    return {"ServerSideEncryptionConfiguration": {"Rules": converted}}


def _cors(value: Any) -> dict[str, Any]:
    rules = [renamed(rule, _CORS_NAMES) for rule in value["CorsRules"]]
    return {"CORSConfiguration": {"CORSRules": rules}}


def _transition(value: Mapping[str, Any], days: str) -> dict[str, Any]:
    return renamed(value, {"TransitionInDays": days, "TransitionDate": "Date"})


def lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a CloudFormation lifecycle rule as S3's API takes it.

    Prefix, tags and sizes become the one Filter; names that S3 does not know stay and are refused.
    """
    rest = dict(rule)
    conditions: dict[str, Any] = {}
    for name in ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan"):
        if name in rest:
            conditions[name] = rest.pop(name)
    tags = rest.pop("TagFilters", [])
    converted = renamed(rest, _RULE_NAMES)
    converted["Filter"] = _filter(conditions, tags)
    expiration = {
        api: converted.pop(name)
        for name, api in (
            ("ExpirationInDays", "Days"),
            ("ExpirationDate", "Date"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        )
        if name in converted
    }
    if expiration:
        converted["Expiration"] = expiration
    if "Transitions" in converted:
        converted["Transitions"] = [_transition(t, "Days") for t in converted["Transitions"]]
    if "NoncurrentVersionTransitions" in converted:
        converted["NoncurrentVersionTransitions"] = [
            _transition(t, "NoncurrentDays") for t in converted["NoncurrentVersionTransitions"]
        ]
    return converted


def _filter(conditions: dict[str, Any], tags: list[Any]) -> dict[str, Any]:
    if len(conditions) + len(tags) > 1:
        return {"And": {**conditions, **({"Tags": tags} if tags else {})}}
    if tags:
        return {"Tag": tags[0]}
    return conditions or {"Prefix": ""}


def _lifecycle(value: Any) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [lifecycle_rule(r) for r in value["Rules"]]}}


#: Property -> (call that puts it, its arguments, call that removes it).
_SETTINGS: dict[str, tuple[str, Callable[[Any], dict[str, Any]], str | None]] = {
    "BucketEncryption": ("PutBucketEncryption", _encryption, "DeleteBucketEncryption"),
    "VersioningConfiguration": (
        "PutBucketVersioning",
        lambda value: {"VersioningConfiguration": value},
        None,
    ),
    "LifecycleConfiguration": (
        "PutBucketLifecycleConfiguration",
        _lifecycle,
        "DeleteBucketLifecycle",
    ),
    "CorsConfiguration": ("PutBucketCors", _cors, "DeleteBucketCors"),
    "PublicAccessBlockConfiguration": (
        "PutPublicAccessBlock",
        lambda value: {"PublicAccessBlockConfiguration": value},
        "DeletePublicAccessBlock",
    ),
    "OwnershipControls": (
        "PutBucketOwnershipControls",
        lambda value: {"OwnershipControls": value},
        "DeleteBucketOwnershipControls",
    ),
}


class Bucket(Kind):
    """A bucket; deleting one that holds objects is refused, as AWS does."""

    type_name = "AWS::S3::Bucket"
    properties = frozenset({"BucketName", "AccessControl", "Tags", *_SETTINGS})
    replace_on = frozenset({"BucketName"})

    def make(self, context: Context, properties: Properties) -> str:
        s3 = context.clients.client("s3")
        name = str(properties.get("BucketName") or context.unique_name(max_length=63, lower=True))
        location = {"LocationConstraint": context.region}
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=location)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        s3 = context.clients.client("s3")
        for name, (put, arguments, remove) in _SETTINGS.items():
            if not changed(name, old, new):
                continue
            if name in new:
                call(s3, put, {"Bucket": physical_id, **arguments(new[name])})
            elif remove is None:
                suspended = {"Status": "Suspended"}
                s3.put_bucket_versioning(Bucket=physical_id, VersioningConfiguration=suspended)
            else:
                call(s3, remove, {"Bucket": physical_id})
        if changed("AccessControl", old, new):
            acl = _canned_acl(new.get("AccessControl", "Private"))
            s3.put_bucket_acl(Bucket=physical_id, ACL=acl)
        if changed("Tags", old, new):
            self._tag(s3, physical_id, tag_map(new))

    @staticmethod
    def _tag(s3: Any, bucket: str, tags: Mapping[str, str]) -> None:
        if not tags:
            s3.delete_bucket_tagging(Bucket=bucket)
            return
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_set})

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("s3").delete_bucket(Bucket=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        regional = f"{physical_id}.s3.{context.region}.amazonaws.com"
        return {
            "Arn": f"arn:aws:s3:::{physical_id}",
            "DomainName": f"{physical_id}.s3.amazonaws.com",
            "RegionalDomainName": regional,
        }


def _canned_acl(name: str) -> str:
    """Return `log-delivery-write` for `LogDeliveryWrite`."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).removeprefix("-")


class BucketPolicy(Kind):
    """A bucket's policy, stored and read back whole.

    Not enforced: statements with a Condition (`services/moto_repairs.py` says why).
    """

    type_name = "AWS::S3::BucketPolicy"
    properties = frozenset({"Bucket", "PolicyDocument"})
    replace_on = frozenset({"Bucket"})

    def make(self, context: Context, properties: Properties) -> str:
        return str(properties["Bucket"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        policy = text(new["PolicyDocument"])
        context.clients.client("s3").put_bucket_policy(Bucket=physical_id, Policy=policy)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        with missing_is_fine():
            context.clients.client("s3").delete_bucket_policy(Bucket=physical_id)


HANDLERS = (Bucket(), BucketPolicy())

"""The instance metadata service, version 2, of every instance: a WSGI application.

Served below `/_local/imds/<instance id>/latest/...`, where the SDKs and the CLI find it through
AWS_EC2_METADATA_SERVICE_ENDPOINT. Facts come from the EC2, IAM and Auto Scaling records, and from
the Spot notices that were given.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from local.clock import Clock, SystemClock
from local.hosts.spot import SpotNotices

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PREFIX = "/_local/imds/"
_MAX_TTL_S = 21600
_CREDENTIALS_S = 6 * 3600
_TTL_HEADER = "HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS"
_TOKEN_HEADER = "HTTP_X_AWS_EC2_METADATA_TOKEN"  # noqa: S105 (a header's name)


class ClientSource(Protocol):
    """Gives boto3 clients of the embedded AWS."""

    def client(self, service: str) -> Any:
        """Return the client of an AWS service."""


def endpoint(base: str, instance_id: str) -> str:
    """Return an instance's AWS_EC2_METADATA_SERVICE_ENDPOINT at an AWS that serves at `base`."""
    return f"{base.rstrip('/')}{PREFIX}{instance_id}/"


class Imds:
    """Tokens and metadata of all instances. Without a valid token everything else is 401."""

    def __init__(
        self,
        clients: ClientSource,
        region: str,
        clock: Clock | None = None,
        spot: SpotNotices | None = None,
    ) -> None:
        self._clients = clients
        self._region = region
        self._clock = clock or SystemClock()
        self._spot = spot or SpotNotices(clients, self._clock)
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request below PREFIX."""
        status, body, headers = self._answer(environ)
        start(status, [("Content-Type", "text/plain"), *headers])
        return [body.encode()]

    def _answer(self, environ: WSGIEnvironment) -> tuple[str, str, list[tuple[str, str]]]:
        rest = str(environ.get("PATH_INFO", "")).removeprefix(PREFIX)
        instance_id, _, path = rest.partition("/")
        path = path.strip("/").removeprefix("latest").strip("/")
        if path == "api/token":
            return self._token(environ, instance_id)
        if not self._valid(environ.get(_TOKEN_HEADER), instance_id):
            return "401 Unauthorized", "", []
        value = self._lookup(instance_id, path)
        return ("404 Not Found", "", []) if value is None else ("200 OK", value, [])

    def _token(
        self, environ: WSGIEnvironment, instance_id: str
    ) -> tuple[str, str, list[tuple[str, str]]]:
        if environ["REQUEST_METHOD"] != "PUT":
            return "405 Method Not Allowed", "", [("Allow", "OPTIONS, PUT")]
        ttl = str(environ.get(_TTL_HEADER, ""))
        if not ttl.isdecimal() or not 1 <= int(ttl) <= _MAX_TTL_S:
            return "400 Bad Request", "", []
        token, now = secrets.token_urlsafe(40), self._clock.now()
        with self._lock:
            self._tokens = {key: kept for key, kept in self._tokens.items() if kept[1] > now}
            self._tokens[token] = (instance_id, now + int(ttl))
        return "200 OK", token, [("X-aws-ec2-metadata-token-ttl-seconds", ttl)]

    def _valid(self, token: str | None, instance_id: str) -> bool:
        with self._lock:
            owner, expires = self._tokens.get(token or "", ("", 0.0))
        return owner == instance_id and self._clock.now() < expires

    def _lookup(self, instance_id: str, path: str) -> str | None:
        """Return a leaf's text, or a directory's listing, or None."""
        instance = self._instance(instance_id)
        if instance is None:
            return None
        leaf: Any = self._tree(instance)
        for part in filter(None, path.split("/")):
            leaf = leaf.get(part) if isinstance(leaf, Mapping) else None
            leaf = leaf() if callable(leaf) else leaf
        if isinstance(leaf, Mapping):
            return "\n".join(_listing(leaf))
        return None if leaf is None else str(leaf)

    def _tree(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        identifier: str = instance["InstanceId"]
        zone = instance["Placement"]["AvailabilityZone"]
        tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
        document = {
            "instanceId": identifier,
            "region": self._region,
            "availabilityZone": zone,
            "instanceType": instance["InstanceType"],
            "imageId": instance["ImageId"],
            "pendingTime": _iso(instance["LaunchTime"].timestamp()),
            "privateIp": instance.get("PrivateIpAddress"),
        }
        metadata: dict[str, Any] = {
            "instance-id": identifier,
            "instance-life-cycle": instance.get("InstanceLifecycle", "on-demand"),
            "instance-type": instance["InstanceType"],
            "ami-id": instance["ImageId"],
            "local-ipv4": instance.get("PrivateIpAddress"),
            "placement": {"availability-zone": zone, "region": self._region},
            "tags": {"instance": tags},
            "iam": lambda: self._iam(instance),
            "autoscaling": lambda: {"target-lifecycle-state": self._target_state(identifier)},
            **self._spot.metadata(identifier),
        }
        return {
            "meta-data": metadata,
            "dynamic": {"instance-identity": {"document": json.dumps(document)}},
        }

    def _instance(self, instance_id: str) -> Mapping[str, Any] | None:
        try:
            found = self._clients.client("ec2").describe_instances(InstanceIds=[instance_id])
        except ClientError:
            return None
        instances = [one for each in found["Reservations"] for one in each["Instances"]]
        return instances[0] if instances else None

    def _iam(self, instance: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the role's credentials, None where the instance has no profile."""
        arn = instance.get("IamInstanceProfile", {}).get("Arn")
        if not arn:
            return None
        profile = self._clients.client("iam").get_instance_profile(
            InstanceProfileName=arn.rpartition("/")[2]
        )["InstanceProfile"]
        role = profile["Roles"][0]["RoleName"]
        now = self._clock.now()
        answer = {
            "Code": "Success",
            "LastUpdated": _iso(now),
            "Type": "AWS-HMAC",
            **credentials(instance["InstanceId"]),
            "Expiration": _iso(now + _CREDENTIALS_S),
        }
        info = {"Code": "Success", "LastUpdated": _iso(now), "InstanceProfileArn": arn}
        return {"security-credentials": {role: json.dumps(answer)}, "info": json.dumps(info)}

    def _target_state(self, instance_id: str) -> str | None:
        found = self._clients.client("autoscaling").describe_auto_scaling_instances(
            InstanceIds=[instance_id]
        )["AutoScalingInstances"]
        if not found:
            return None
        state: str = found[0]["LifecycleState"]
        if state.startswith("Warmed:"):
            return "Warmed:Stopped"
        return "Terminated" if state.startswith("Termina") else "InService"


def credentials(seed: str) -> dict[str, str]:
    """Return a role session's keys, the same for the same seed; they open nothing."""
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return {
        "AccessKeyId": f"ASIA{digest[:16].upper()}",
        "SecretAccessKey": digest[:40],
        "Token": f"local-{digest[40:]}",
    }


def _listing(tree: Mapping[str, Any]) -> Iterator[str]:
    for name, value in sorted(tree.items()):
        shown: Callable[[], Any] | Any = value() if callable(value) else value
        if shown is not None:
            yield f"{name}/" if isinstance(shown, Mapping) else name


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

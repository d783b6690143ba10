"""What S3 does before an object is touched and moto leaves out: CORS and expiry of signed URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError
from moto.core.request import Request
from werkzeug.wrappers import Response

from local.clients import Clients
from local.clock import Clock

_STAMP = "%Y%m%dT%H%M%SZ"


class StorageFront:
    """Stands in front of S3, in path style."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock

    def refuse(self, request: Request) -> Response | None:
        """Return the refusal of a request by an expired URL, None for any other."""
        expires = _expiry(request.args)
        if expires is None or self._clock.now() <= expires:
            return None
        return _error("AccessDenied", "Request has expired", 403)

    def preflight(self, request: Request) -> Response:
        """Answer an OPTIONS request by the bucket's CORS configuration."""
        wanted = request.headers.get("Access-Control-Request-Method", "")
        asked = request.headers.get("Access-Control-Request-Headers", "")
        names = [name.strip() for name in asked.split(",") if name.strip()]
        rule = self._rule(request, wanted, names)
        if rule is None:
            message = "CORSResponse: This CORS request is not allowed."
            return _error("AccessForbidden", message, 403)
        headers = self._allowing(request, rule)
        if names:
            headers["Access-Control-Allow-Headers"] = ", ".join(names)
        if "MaxAgeSeconds" in rule:
            headers["Access-Control-Max-Age"] = str(rule["MaxAgeSeconds"])
        return Response(status=200, headers=headers)

    def cors_headers(self, request: Request) -> Mapping[str, str]:
        """Return the headers that let a browser's script read the answer; none without a rule."""
        if "Origin" not in request.headers:
            return {}
        rule = self._rule(request, request.method, [])
        return {} if rule is None else self._allowing(request, rule)

    @staticmethod
    def _allowing(request: Request, rule: Mapping[str, Any]) -> dict[str, str]:
        anyone = "*" in rule["AllowedOrigins"]
        headers = {
            "Access-Control-Allow-Origin": "*" if anyone else request.headers["Origin"],
            "Access-Control-Allow-Methods": ", ".join(rule["AllowedMethods"]),
            "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
        }
        if rule.get("ExposeHeaders"):
            headers["Access-Control-Expose-Headers"] = ", ".join(rule["ExposeHeaders"])
        return headers

    def _rule(self, request: Request, method: str, names: list[str]) -> Mapping[str, Any] | None:
        bucket = request.path.lstrip("/").split("/", 1)[0]
        origin = request.headers.get("Origin", "")
        try:
            rules = self._clients.client("s3").get_bucket_cors(Bucket=bucket)["CORSRules"]
        except ClientError:
            return None
        for rule in rules:
            if (
                method in rule["AllowedMethods"]
                and _any_matches(rule["AllowedOrigins"], origin)
                and all(_any_matches(rule.get("AllowedHeaders", []), name) for name in names)
            ):
                found: Mapping[str, Any] = rule
                return found
        return None


def _any_matches(patterns: list[str], value: str) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value, re.IGNORECASE)
        for pattern in patterns
    )


def _expiry(query: Mapping[str, str]) -> float | None:
    """Return when a signed URL ends, seconds since the epoch; None when it is no signed URL."""
    try:
        if "X-Amz-Expires" in query:
            signed = datetime.strptime(query["X-Amz-Date"], _STAMP).replace(tzinfo=UTC)
            return (signed + timedelta(seconds=int(query["X-Amz-Expires"]))).timestamp()
        return float(query["Expires"]) if "Expires" in query else None
    except (KeyError, ValueError):
        return 0.0


def _error(code: str, message: str, status: int) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    )
    return Response(body, status=status, content_type="application/xml")

"""Which AWS service a request is for: told by its signature, its target, or its form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from urllib.parse import parse_qs

from moto.backend_index import backend_url_patterns
from moto.core.request import Request
from moto.core.utils import get_service_model

from local.clients import REGION

_SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
#: Signing names that differ from botocore's name of the service.
_ALIASES = {
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "eventbridge": "events",
    "email": "ses",
}
_BUCKET = re.compile(r"(?P<bucket>.+?)\.(?:s3[.-][a-z0-9.-]*amazonaws\.com|(?:s3\.)?localhost)")


def service_of(request: Request, own: Iterable[str]) -> str | None:
    """Return botocore's name of the service that a request is for; None means S3, unsigned.

    `own` are the services that are recognised even in unsigned requests.
    """
    credential = request.args.get("X-Amz-Credential")
    text = f"Credential={credential}" if credential else request.headers.get("Authorization", "")
    if scope := _SCOPE.search(text):
        name = scope["service"].lower()
        return _ALIASES.get(name, name)
    target = request.headers.get("X-Amz-Target", "")
    version = _form(request).get("Version", [""])[0]
    for name in own:
        prefix, api_version = _marks(name)
        if (prefix and target.startswith(f"{prefix}.")) or (version and version == api_version):
            return name
    return None


def is_known_to_moto(service: str) -> bool:
    """Say whether moto has a backend for the host name of a service."""
    if service == "s3":
        return True
    names = {service, *(signing for signing, name in _ALIASES.items() if name == service)}
    hosts = [
        f"http://{name}.{place}amazonaws.com" for name in names for place in (f"{REGION}.", "")
    ]
    return any(pattern.match(host) for _, pattern in backend_url_patterns for host in hosts)


def to_path_style(environ: dict[str, object], endpoint_host: str) -> None:
    """Rewrite a request to `<bucket>.<S3 host>` as one for `<endpoint_host>/<bucket>`."""
    host = str(environ.get("HTTP_HOST", "")).split(":")[0]
    found = _BUCKET.fullmatch(host)
    if found is None:
        return
    for name in ("PATH_INFO", "RAW_URI", "REQUEST_URI"):
        if name in environ:
            environ[name] = f"/{found['bucket']}{environ[name]}"
    environ["HTTP_HOST"] = endpoint_host


def _form(request: Request) -> Mapping[str, list[str]]:
    if not (request.content_type or "").startswith("application/x-www-form-urlencoded"):
        return {}
    return parse_qs(request.get_data(as_text=True))


@cache
def _marks(service: str) -> tuple[str | None, str]:
    metadata = get_service_model(service).metadata
    return metadata.get("targetPrefix"), metadata["apiVersion"]

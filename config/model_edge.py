"""The shape of the edge's settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.model_base import Host, Model, SecretName


class Playback(Model):
    """The key that signs cookies for HLS; the secret holds its private half (runbook)."""

    public_key_pem: Annotated[str, Field(pattern=r"^-----BEGIN PUBLIC KEY-----\n")]
    private_key_secret_name: SecretName


class Edge(Model):
    """What stands in front of the API, and serves the front end."""

    provider: Literal["none", "cloudfront", "cloudflare"]
    domain_name: Host | None
    requests_per_minute: Annotated[int, Field(ge=10, le=100000)]
    playback: Playback | None

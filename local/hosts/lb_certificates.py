"""Certificates of ACM as a listener presents them."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path
from typing import Any

from moto.acm.exceptions import CertificateNotFound
from moto.acm.models import acm_backends

from local.clients import ACCOUNT, REGION
from local.hosts.authority import Authority, write_private

#: How a balancer is reached here, whatever its certificate is for.
_HERE = ("localhost", "127.0.0.1")


class Certificates:
    """TLS contexts by certificate ARN, kept while the certificate stays the same.

    An imported certificate is presented as it is. For a requested one moto invents a key and a
    signature that nobody can verify; the authority of the state directory signs one for the same
    names, and for localhost, since that is what a balancer's DNSName says. Not thread-safe.
    """

    def __init__(self, state_dir: Path) -> None:
        self._directory = state_dir / "authority"
        self._authority = Authority(self._directory)
        self._known: dict[tuple[str, bytes], ssl.SSLContext] = {}

    def context(self, arn: str) -> ssl.SSLContext | None:
        """Return how to present the certificate, None when ACM has none of that ARN."""
        try:
            record: Any = acm_backends[ACCOUNT][REGION].get_certificate(arn)
        except CertificateNotFound:
            return None
        key = (arn, hashlib.sha256(record.cert).digest())
        if key not in self._known:
            self._known[key] = self._load(arn, record)
        return self._known[key]

    def _load(self, arn: str, record: Any) -> ssl.SSLContext:
        if record.type == "IMPORTED":
            chain = [record.cert, record.chain]
            secret = record.key
        else:
            names = [record.common_name, *record.sans, *_HERE]
            certificate, secret = self._authority.issue(names)
            chain = [certificate]
        file = self._directory / f"{arn.rpartition('/')[2]}.pem"
        write_private(file, b"\n".join([secret.strip(), *(one.strip() for one in chain), b""]))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(file)
        return context

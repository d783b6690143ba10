"""A certificate authority of one state directory, for names that resolve on this machine alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_DAYS = 3650
#: What browsers accept at most is 398 days.
_LEAF_DAYS = 397
#: Signed as of yesterday: clocks differ.
_EARLY = timedelta(days=1)


class Authority:
    """Signs server certificates; its own is made at the first need and kept in `directory`.

    Who is to trust it takes `certificate`, a PEM file: `curl --cacert`, REQUESTS_CA_BUNDLE,
    SSL_CERT_FILE, NODE_EXTRA_CA_CERTS. The key is readable by its owner alone. Not thread-safe.
    """

    def __init__(self, directory: Path) -> None:
        self.certificate = directory / "ca.pem"
        self._key = directory / "ca.key"

    def issue(self, names: Sequence[str]) -> tuple[bytes, bytes]:
        """Return certificate and new key as PEM, for DNS names and IP addresses; first is CN."""
        issuer, signer = self._own()
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0]), issuer.subject, key, _LEAF_DAYS)
        builder = builder.add_extension(x509.SubjectAlternativeName(_general(names)), False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(usage, False).add_extension(identifier, False)
        return _pem(builder.sign(signer, hashes.SHA256())), _key_pem(key)

    def _own(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        if not self.certificate.exists():
            self._make()
        certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        key = serialization.load_pem_private_key(self._key.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{self._key} holds no elliptic curve key; delete its directory")
        return certificate, key

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"academy local {self.certificate.parent.parent.name}"[:64])
        builder = _builder(name, name, key, _CA_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(_SIGNS, True).add_extension(identifier, False)
        write_private(self._key, _key_pem(key))
        self.certificate.write_bytes(_pem(builder.sign(key, hashes.SHA256())))


_SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner ever could read, in a directory of the same kind."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now - _EARLY + timedelta(days=days))
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            found.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

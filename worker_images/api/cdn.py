"""Cookies that let a browser read one folder from CloudFront, signed with our key.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-setting-signed-cookie-custom-policy.html
"""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class CookieSigner:
    """Signs with an RSA key that CloudFront knows as `key_pair_id`.

    `private_key` is its PKCS#8 in DER, in base64: an environment file takes one line.

    Raises: ValueError when it is anything else.
    """

    def __init__(self, key_pair_id: str, private_key: str) -> None:
        found = serialization.load_der_private_key(
            base64.b64decode(private_key, validate=True), password=None
        )
        if not isinstance(found, rsa.RSAPrivateKey):
            raise ValueError("no RSA key")
        self._key_pair_id = key_pair_id
        self._key = found

    def cookies(self, folder: str, *, until: int) -> dict[str, str]:
        """Return the cookies for everything below `folder`, a URL that ends with `/`.

        CloudFront takes them until the moment `until`, in seconds since 1970.
        """
        statement = {
            "Resource": f"{folder}*",
            "Condition": {"DateLessThan": {"AWS:EpochTime": until}},
        }
        policy = json.dumps({"Statement": [statement]}, separators=(",", ":")).encode()
        signature = self._key.sign(policy, padding.PKCS1v15(), hashes.SHA256())
        return {
            "CloudFront-Policy": _text(policy),
            "CloudFront-Signature": _text(signature),
            "CloudFront-Key-Pair-Id": self._key_pair_id,
            "CloudFront-Hash-Algorithm": "SHA256",
        }


def _text(data: bytes) -> str:
    """Return base64 with the letters that CloudFront takes in a cookie."""
    return base64.b64encode(data).decode().translate(str.maketrans("+=/", "-_~"))

"""Initial passwords as Django stores them."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

#: django.contrib.auth.hashers.PBKDF2PasswordHasher.iterations of Django 5.2.
ITERATIONS = 1_000_000
_HASH = re.compile(r"pbkdf2_sha256\$\d+\$[^$]+\$[A-Za-z0-9+/]{43}=")


def hashed(password: str) -> str:
    """Return the hash of a password; what is a hash already is returned as it is.

    Django reads it: `algorithm$iterations$salt$digest`, see
    https://docs.djangoproject.com/en/5.2/topics/auth/passwords/#how-django-stores-passwords
    """
    if _HASH.fullmatch(password):
        return password
    salt = secrets.token_hex(16)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), ITERATIONS)
    return f"pbkdf2_sha256${ITERATIONS}${salt}${base64.b64encode(digest).decode()}"

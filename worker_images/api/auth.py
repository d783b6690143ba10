"""Who may call what: staff with the operator token, Lambda and operators with the internal key."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.contracts.api_paths import TENANT_HEADER
from config.contracts.environment import INTERNAL_KEY_HEADER

#: Every number of this many digits fits PostgreSQL's bigint.
_ID_DIGITS = 18


@dataclass(frozen=True)
class Staff:
    """A member of a tenant's staff; sees that tenant's videos alone."""

    tenant_id: int
    is_authenticated: bool = True


@dataclass(frozen=True)
class Internal:
    """The metric Lambda, or an operator's command."""

    is_authenticated: bool = True


class OperatorToken(BaseAuthentication):
    """`Authorization: Bearer <OPERATOR_API_TOKEN>` with `X-Tenant-Id: <int>`. Refuses with 401."""

    def authenticate(self, request: Request) -> tuple[Staff, None] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not same(token.strip(), settings.API.operator_token):
            raise AuthenticationFailed("인증 토큰이 올바르지 않습니다.")
        return Staff(tenant_id=_tenant(request)), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class InternalKey(BaseAuthentication):
    """`X-Internal-Key: <LAMBDA_INTERNAL_API_KEY>`. Refuses with 403, all when none is set."""

    def authenticate(self, request: Request) -> tuple[Internal, None]:
        if not has_internal_key(request):
            raise AuthenticationFailed(f"{INTERNAL_KEY_HEADER} is missing or wrong")
        return Internal(), None


def has_internal_key(request: Request) -> bool:
    """Whether the request carries the configured internal key."""
    return same(request.headers.get(INTERNAL_KEY_HEADER, ""), settings.API.internal_key)


def same(given: str, expected: str) -> bool:
    """Compare in constant time; an empty expectation equals nothing."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def _tenant(request: Request) -> int:
    value = request.headers.get(TENANT_HEADER, "")
    digits = value.isascii() and value.isdecimal() and len(value) <= _ID_DIGITS
    if not digits or int(value) < 1:
        raise AuthenticationFailed(
            f"{TENANT_HEADER} 헤더가 필요합니다: 1 이상의 정수여야 하는데 {value[:40]!r} 입니다."
        )
    return int(value)

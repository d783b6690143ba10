"""The edge's patterns and the API's addresses speak of the same paths."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from config.contracts.api_paths import PUBLIC_PATTERNS, STATIC_PATTERN


def routes(found: URLResolver, above: str = "/") -> list[str]:
    """Return every address of the API, with its variable parts as Django writes them."""
    listed = []
    for each in found.url_patterns:
        if isinstance(each, URLPattern):
            listed.append(f"{above}{each.pattern}")
        else:
            listed += routes(each, f"{above}{each.pattern}")
    return listed


def test_every_address_of_the_api_is_routed_to_it() -> None:
    found = [*routes(get_resolver()), "/healthz"]
    assert len(found) > 10
    for route in found:
        assert any(fnmatchcase(route, pattern) for pattern in (*PUBLIC_PATTERNS, STATIC_PATTERN))


@pytest.mark.parametrize("pattern", [*PUBLIC_PATTERNS, STATIC_PATTERN])
def test_no_pattern_takes_addresses_from_the_front_end_for_nothing(pattern: str) -> None:
    assert any(fnmatchcase(route, pattern) for route in routes(get_resolver()))

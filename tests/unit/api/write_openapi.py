"""Writes docs/openapi.yaml: `python -m tests.unit.api.write_openapi`."""

import tests.unit.api.conftest  # noqa: F401 - sets Django up, before the next import needs it
from tests.unit.api.test_api_openapi import COMMITTED, written

if __name__ == "__main__":
    COMMITTED.write_text(written(), "utf-8")

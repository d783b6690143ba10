"""What the tests import is what the images run, though these have a newer Python."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from config.contracts.names import IMAGES
from tests.conftest import ROOT


@pytest.mark.parametrize("kind", IMAGES)
def test_each_package_of_an_image_is_locked_to_one_version(kind: str) -> None:
    """A lock that forks by Python once gave the images a PyAV in which every encode failed."""
    pins = (ROOT / "worker_images" / kind / "requirements.txt").read_text("utf-8")
    names = Counter(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==", pins, re.MULTILINE))
    assert len(names) > 5
    assert [name for name, count in names.items() if count > 1] == []

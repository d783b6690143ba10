"""The edge's stack stands in a region of its own; everything that asks for stacks knows it."""

from __future__ import annotations

from config.settings import load_settings
from ops import aws


def test_only_the_edge_stands_elsewhere() -> None:
    settings = load_settings("prod")
    assert aws.region_of(settings, "academy-prod-edge") == "us-east-1"
    assert aws.region_of(settings, "academy-prod-api") == "ap-northeast-2"
    assert aws.regions(settings) == ["ap-northeast-2", "us-east-1"]


def test_without_an_edge_there_is_one_region() -> None:
    assert aws.regions(load_settings("local")) == ["ap-northeast-2"]

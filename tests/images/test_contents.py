"""What the images hold: our programs and what they need, and nothing to build with."""

from __future__ import annotations

import pytest

from config.contracts.names import IMAGES
from tests.images.containers import Built

pytestmark = [pytest.mark.images, pytest.mark.timeout(1200)]
KINDS = sorted(IMAGES)
#: Megabytes that an image may have: a tenth above what it has, so that a surprise is seen.
LARGEST_MB = {"base": 175, "api": 240, "video": 510, "ai": 1180, "messaging": 190}
#: Imports every module of the image as its program would; what the shell starts is left alone.
IMPORTS = """
import importlib, os, pkgutil, sys
assert sys.version_info[:2] == (3, 13), sys.version
kind = sys.argv[1]
if kind == "api":
    import django
    django.setup()
import worker_images, config
found = [
    each.name
    for package in (config, worker_images)
    for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]
skipped = [name for name in found if "testing" in name or name.endswith("__main__")]
for name in found:
    if name not in skipped:
        importlib.import_module(name)
print(len(found))
"""
BUILD_TOOLS = ("gcc", "cc", "g++", "make", "ld", "git", "curl", "wget", "hadolint")
LEFT_OVERS = ("/tmp/*", "/var/lib/apt/lists/*Packages*", "/venv/bin/pip*", "/added")


@pytest.mark.parametrize("kind", KINDS)
def test_every_module_of_an_image_can_be_imported(images: Built, kind: str) -> None:
    count = images.once(kind, "python", "-c", IMPORTS, kind)
    assert int(count.splitlines()[-1]) > 20


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_runs_as_a_user_who_may_write_nothing_but_tmp(images: Built, kind: str) -> None:
    assert images.facts(kind)["Config"]["User"] == "10001"
    script = "id -u; touch /tmp/x && echo tmp; touch /app/x || touch /venv/x || echo refused"
    assert images.once(kind, "sh", "-c", script).split() == ["10001", "tmp", "refused"]
    assert images.once(kind, "find", "/app", "/venv", "-writable") == ""


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_holds_nothing_to_build_with_and_no_left_overs(images: Built, kind: str) -> None:
    # The shell and /app are looked for too: a search that finds nothing at all proves nothing.
    script = (
        f"for each in sh {' '.join(BUILD_TOOLS)}; do command -v $each; done; "
        f"ls -d /app {' '.join(LEFT_OVERS)} 2>&1 | grep -v 'No such file'"
    )
    found = images.once(kind, "sh", "-c", script).split()
    assert [each.rpartition("/")[2] for each in found] == ["sh", "app"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_holds_no_secret_and_none_of_its_tests(images: Built, kind: str) -> None:
    script = "find /app -name '.git*' -o -name '.env*' -o -name 'test_*' -o -name __pycache__"
    assert images.once(kind, "sh", "-c", script) == ""
    given = dict(each.partition("=")[::2] for each in images.facts(kind)["Config"]["Env"])
    assert not {name for name in given if "KEY" in name or "TOKEN" in name or "PASS" in name}


def test_the_sizes_are_those_that_are_told(images: Built) -> None:
    sizes = {kind: round(images.facts(kind)["Size"] / 1e6) for kind in KINDS}
    print("\n| image | MB |\n|---|---|")  # noqa: T201 - for the README
    for kind, size in sizes.items():
        print(f"| `{IMAGES[kind]}` | {size} |")  # noqa: T201
    assert {kind for kind, size in sizes.items() if size > LARGEST_MB[kind]} == set()


def test_tesseract_reads_korean_and_english(images: Built) -> None:
    assert {"kor", "eng"} <= set(images.once("ai", "tesseract", "--list-langs").split())

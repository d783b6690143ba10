"""The function at the edge, run for real: which addresses are the application's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from stacks.constructs.static_site import REWRITE

PATHS = {
    "/": "/index.html",
    "/index.html": "/index.html",
    "/courses": "/index.html",
    "/courses/": "/index.html",
    "/courses/7/lectures/12": "/index.html",
    "/courses/v1.2": "/index.html",
    "/강의/7": "/index.html",
    "/%EA%B0%95%EC%9D%98/7": "/index.html",
    "/a.b/c": "/index.html",
    "/apiary": "/index.html",
    "/assets/app.3f2a1c.js": "/assets/app.3f2a1c.js",
    "/favicon.ico": "/favicon.ico",
    "/fonts/kr.woff2": "/fonts/kr.woff2",
    "/robots.txt": "/robots.txt",
    "/a/b/missing.PNG": "/a/b/missing.PNG",
    "/.well-known/apple-app-site-association": "/.well-known/apple-app-site-association",
}

RUN = """
const [code, paths] = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const handler = new Function(code + '; return handler;')();
const event = (uri) => ({ version: '1.0', request: { method: 'GET', uri, querystring: {} } });
console.log(JSON.stringify(paths.map((uri) => handler(event(uri)))));
"""


@pytest.fixture(scope="module")
def answered() -> Mapping[str, dict[str, object]]:
    """What the function returns for each path, all of them in one run of Node.js."""
    given = json.dumps([REWRITE.read_text("utf-8"), list(PATHS)])
    node = str(Path(sys.executable).parent / "node")
    done = subprocess.run(
        [node, "-e", RUN], input=given, capture_output=True, text=True, check=True
    )
    return dict(zip(PATHS, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("path", PATHS)
def test_a_file_is_itself_and_an_address_is_the_application(
    answered: Mapping[str, dict[str, object]], path: str
) -> None:
    assert answered[path]["uri"] == PATHS[path]


def test_the_rest_of_the_request_stays(answered: Mapping[str, dict[str, object]]) -> None:
    assert all(
        found["method"] == "GET" and found["querystring"] == {} for found in answered.values()
    )

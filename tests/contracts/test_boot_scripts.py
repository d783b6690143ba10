"""The local host accepts the synthesized boot scripts: the same bytes run on EC2 and here."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from local.hosts.docker_run import parse_run
from local.hosts.user_data import localised
from tests.conftest import Templates
from tests.templates import user_data


@pytest.mark.parametrize("stack", ["video", "api"])
def test_paths_and_docker_flags_are_those_that_the_local_host_knows(
    local: Templates, stack: str
) -> None:
    script = re.sub(r"<(\w+)>", r"\1", user_data(local[stack]))
    localised(script, Path("/instance"))
    runs = [
        shlex.split(line.partition(" >")[0])[2:]
        for line in map(str.strip, script.replace("\\\n", " ").splitlines())
        if line.startswith("docker run")
    ]
    assert runs
    for words in runs:
        # The file is read when the flag is parsed, and there is none here.
        at = words.index("--env-file") if "--env-file" in words else len(words)
        assert parse_run(words[:at] + words[at + 2 :]).image.endswith(":0123abc")

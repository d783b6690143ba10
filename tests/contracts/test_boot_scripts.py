"""The local host accepts the synthesized boot scripts: the same bytes run on EC2 and here."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from local.hosts.docker_run import parse_run
from local.hosts.user_data import localised
from tests.conftest import Templates
from tests.templates import properties, user_data


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


def longest(value: Any) -> int:
    """Return how many bytes a value has at most: what only AWS knows counts as a long ARN."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, dict) and "Fn::Base64" in value:
        return longest(value["Fn::Base64"])
    if isinstance(value, dict) and "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return sum(longest(part) + len(separator) for part in parts)
    return 150


def test_user_data_is_no_longer_than_ec2_takes(templates: Templates) -> None:
    """16 kB, counted before the encoding in base64.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
    """
    scripts = {
        role: each["LaunchTemplateData"]["UserData"]
        for role, template in templates.items()
        for each in properties(template, "AWS::EC2::LaunchTemplate")
        if "UserData" in each["LaunchTemplateData"]
    }
    assert "video" in scripts
    assert {role: size for role, value in scripts.items() if (size := longest(value)) > 16384} == {}

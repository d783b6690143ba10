"""The real CDK CLI of `node_modules`, run by the virtual environment's Node."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from ops import places
from ops.errors import OperatorError

#: Stacks deployed at once, as far as their dependencies allow.
CONCURRENCY = 4
#: `cdk diff --fail` exits with this when there is a difference.
DIFFERENCE = 1


def cdk(*arguments: str) -> list[str]:
    """Return the command line of a CDK call. Raises: OperatorError when it is not installed."""
    cli = places.ROOT / "node_modules" / ".bin" / "cdk"
    node = places.tools() / "node"
    for needed in (node, cli):
        if not needed.exists():
            raise OperatorError(f"{needed.name} is not installed", hint="run `make venv`")
    return [str(node), str(cli), *arguments, "--no-notices"]


def synth_arguments(
    environment: str, image_tag: str, output: Path, users_per_day: int | None = None
) -> list[str]:
    """Return the arguments that synthesize an environment into `output`, at its own size or one."""
    context = ["-c", f"env={environment}", "-c", f"image_tag={image_tag}"]
    if users_per_day:
        context += ["-c", f"users_per_day={users_per_day}"]
    return ["synth", "--quiet", *context, "--output", str(output)]


def deploy_arguments(
    assembly: Path, *, stack: str | None = None, concurrency: int = CONCURRENCY
) -> list[str]:
    """Return the arguments that deploy an assembly, all of it or one stack alone, as it stands."""
    return [
        "deploy",
        *([stack, "--exclusively"] if stack else ["--all"]),
        "--app",
        str(assembly),
        "--require-approval",
        "never",
        "--concurrency",
        str(concurrency),
        "--progress",
        "events",
        "--ci",
    ]


def diff_arguments(assembly: Path) -> list[str]:
    """Return the arguments that compare an assembly with what is deployed."""
    return ["diff", "--app", str(assembly), "--fail"]


def bootstrap_arguments(account: str, region: str, assembly: Path) -> list[str]:
    """Return the arguments that prepare an account's region for the deploys of an assembly."""
    return ["bootstrap", f"aws://{account}/{region}", "--app", str(assembly), "--ci"]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for the CDK CLI: no telemetry, no warnings, the tools of this repo."""
    added = {
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "NODE_NO_WARNINGS": "1",
        "NO_COLOR": "1",
        "PATH": f"{places.tools()}{os.pathsep}{environ.get('PATH', '')}",
    }
    # The embedded AWS serves no metadata to this machine; without it the CLI would wait for it.
    local = {"AWS_EC2_METADATA_DISABLED": "true"} if "AWS_ENDPOINT_URL" in environ else {}
    return {**environ, **added, **local}


def run(arguments: list[str], on_line: Callable[[str], None]) -> int:
    """Run the CDK CLI, hand over each line that it prints, and return its exit code.

    An interrupt ends the CLI as well: it is waited for, since a deploy goes on in AWS anyway.
    """
    process = subprocess.Popen(
        cdk(*arguments),
        cwd=places.ROOT,
        env=environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        for line in process.stdout or ():
            on_line(line.rstrip())
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise

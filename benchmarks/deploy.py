"""Seconds to deploy all local stacks from a synthesized assembly, and to deploy nothing again.

`python -m benchmarks.deploy [--json]`. Medians of three, each into an embedded AWS that was just
started in a directory of its own; bootstrapping is not counted. The baseline is the same deploy,
one stack after the other (`--concurrency 1`).
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from ops import cdk

ROOT = Path(__file__).parent.parent
RUNS = 3
BOUNDS_S = {"deploy": 10.0, "no-op": 5.0}
ACCOUNT, REGION = "123456789012", "ap-northeast-2"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        measured = measure(Path(place))
    medians = {name: median(values) for name, values in measured.items()}
    if arguments.json:
        print(json.dumps({"median_of": RUNS, "seconds": medians, "runs": measured}))
        return
    print(f"{'median of 3':24}{'seconds':>9}{'baseline':>10}{'ratio':>8}{'bound':>8}")
    for name, bound_s in BOUNDS_S.items():
        value, baseline = medians[name], medians[f"{name}, one by one"]
        ratio = value / baseline
        print(f"{name:24}{value:9.2f}{baseline:10.2f}{ratio:8.2f}{bound_s:8.1f}")


def measure(place: Path) -> dict[str, list[float]]:
    """Return the seconds of every run, by what was deployed."""
    measured: dict[str, list[float]] = {}
    for run in range(RUNS):
        for suffix, concurrency in (("", cdk.CONCURRENCY), (", one by one", 1)):
            state = place / f"{run}-{concurrency}"
            with embedded_aws(state) as environment:
                assembly = synthesized(place, environment)
                timed(cdk.bootstrap_arguments(ACCOUNT, REGION, assembly), environment)
                arguments = cdk.deploy_arguments(assembly, concurrency=concurrency)
                for name in BOUNDS_S:
                    seconds = timed(arguments, environment)
                    measured.setdefault(f"{name}{suffix}", []).append(seconds)
    return measured


@contextmanager
def embedded_aws(state: Path) -> Iterator[dict[str, str]]:
    """Start an embedded AWS of its own, yield the environment that reaches it, and stop it."""
    environment = {**os.environ, "ACADEMY_LOCAL_DIR": str(state)}
    _local(environment, "start", "--port", str(_free_port()))
    try:
        yield {**environment, **json.loads(_local(environment, "env", "--json"))}
    finally:
        _local(environment, "stop")


def synthesized(place: Path, environment: Mapping[str, str]) -> Path:
    """Return the assembly of the local environment with images that exist there."""
    tag = _local(environment, "images").strip()
    assembly = place / "assembly"
    if not assembly.exists():
        timed(cdk.synth_arguments("local", tag, assembly), environment)
    return assembly


def timed(arguments: list[str], environment: Mapping[str, str]) -> float:
    """Run the CDK CLI and return its seconds. Raises: RuntimeError with what it said."""
    began = time.monotonic()
    done = subprocess.run(
        cdk.cdk(*arguments),
        cwd=ROOT,
        env=cdk.environment(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"cdk {arguments[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return time.monotonic() - began


def _free_port() -> int:
    """Return a port that nobody uses, so that a running platform is not in the way."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _local(environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    main()

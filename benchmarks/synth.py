"""Seconds to synthesize each environment: medians of three, from a cold process each.

`python -m benchmarks.synth [--json]`. The baseline is a CDK app with one empty stack: what is above
it is ours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = ("local", "dev", "staging", "prod")
RUNS = 3
EMPTY_APP = "import aws_cdk as cdk; app = cdk.App(); cdk.Stack(app, 'Empty'); app.synth()"


def seconds(command: list[str], context: dict[str, str]) -> float:
    """Run an app the way the CDK CLI does and return its seconds. Raises: CalledProcessError."""
    with tempfile.TemporaryDirectory() as output:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(Path.home()),
            "CDK_OUTDIR": output,
            "CDK_CONTEXT_JSON": json.dumps(context),
        }
        began = time.monotonic()
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    runs: dict[str, list[float]] = {}
    # In turn, so that a machine that is busy for a while slows all of them.
    for _ in range(RUNS):
        empty = seconds([sys.executable, "-c", EMPTY_APP], {})
        runs.setdefault("an empty stack", []).append(empty)
        for name in ENVIRONMENTS:
            given = {**context, "env": name, "image_tag": "benchmark"}
            runs.setdefault(name, []).append(seconds([sys.executable, "app.py"], given))
    measured = {name: median(values) for name, values in runs.items()}
    if arguments.json:
        print(json.dumps({"median_of": RUNS, "seconds": measured}))
        return
    baseline = measured["an empty stack"]
    print(f"{'synth, median of 3':24}{'seconds':>9}{'ratio':>8}")
    for name, value in measured.items():
        print(f"{name:24}{value:9.2f}{value / baseline:8.2f}")


if __name__ == "__main__":
    main()

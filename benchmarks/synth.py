"""Seconds to synthesize each environment: medians of three, from a cold process each.

`python -m benchmarks.synth [--json]`. The baseline of an environment is a bare tree: an empty CDK
app of as many stacks, resources without properties, and other constructs that do nothing, as CDK
makes it by default. CDK's own validation of templates is a good second of that; the environments
leave it out: cdk-nag checks every synth and cfn-lint every deploy. The last column leaves it
out on both sides.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = ("local", "dev", "staging", "prod")
RUNS = 3
BARE = """
import sys
import aws_cdk as cdk
from constructs import Construct
constructs, resources, stacks = map(int, sys.argv[1:4])
app = cdk.App(builtin_cloud_formation_validation=sys.argv[4] == "validated")
places = [cdk.Stack(app, f"Stack{number}") for number in range(stacks)]
for number in range(resources):
    cdk.CfnResource(places[number % stacks], f"Resource{number}", type="AWS::SNS::Topic")
for number in range(constructs - resources - stacks):
    Construct(places[number % stacks], f"Construct{number}")
app.synth()
"""


@dataclass(frozen=True)
class Synth:
    """Seconds of one synth, and the constructs, resources among them, and stacks that it made."""

    seconds: float
    constructs: int
    resources: int
    stacks: int


def synth(command: list[str], context: dict[str, str]) -> Synth:
    """Run an app the way the CDK CLI does. Raises: CalledProcessError."""
    with tempfile.TemporaryDirectory() as output:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(Path.home()),
            "CDK_OUTDIR": output,
            "CDK_CONTEXT_JSON": json.dumps(context),
        }
        began = time.monotonic()
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        seconds = time.monotonic() - began
        tree = json.loads((Path(output) / "tree.json").read_text("utf-8"))["tree"]
        templates = [json.loads(path.read_text()) for path in Path(output).glob("*.template.json")]
        resources = sum(len(template.get("Resources", {})) for template in templates)
        return Synth(seconds, count(tree), resources, len(templates))


def count(node: dict[str, object]) -> int:
    """Return how many constructs a node of tree.json holds, itself among them."""
    children = node.get("children") or {}
    assert isinstance(children, dict)  # noqa: S101 - CDK writes a mapping
    return 1 + sum(count(child) for child in children.values())


def measure(environment: str, context: dict[str, str]) -> dict[str, list[Synth]]:
    """Return three runs of an environment, of its bare tree, and of that without validation."""
    runs: dict[str, list[Synth]] = {"environment": [], "bare": [], "unvalidated": []}
    given = {**context, "env": environment, "image_tag": "benchmark"}
    # In turn, so that a machine that is busy for a while slows all of them.
    for _ in range(RUNS):
        ours = synth([sys.executable, "app.py"], given)
        size = [str(ours.constructs), str(ours.resources), str(ours.stacks)]
        runs["environment"].append(ours)
        for name, word in (("bare", "validated"), ("unvalidated", "unvalidated")):
            runs[name].append(synth([sys.executable, "-c", BARE, *size, word], {}))
    return runs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    rows = []
    for name in ENVIRONMENTS:
        runs = measure(name, context)
        seconds = {key: median(run.seconds for run in found) for key, found in runs.items()}
        rows.append(
            {"environment": name, "constructs": runs["environment"][0].constructs}
            | {
                "seconds": seconds["environment"],
                "bare_seconds": seconds["bare"],
                "ratio": seconds["environment"] / seconds["bare"],
                "unvalidated_ratio": seconds["environment"] / seconds["unvalidated"],
            }
        )
    if arguments.json:
        print(json.dumps({"median_of": RUNS, "environments": rows}))
        return
    print("synth, median of 3     constructs  seconds     bare    ratio  without validation")
    for row in rows:
        print(
            f"{row['environment']:22}{row['constructs']:11}{row['seconds']:9.2f}"
            f"{row['bare_seconds']:9.2f}{row['ratio']:9.2f}{row['unvalidated_ratio']:20.2f}"
        )


if __name__ == "__main__":
    main()

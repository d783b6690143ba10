"""Writes both snapshots anew: `python -m tests.snapshots.pin`. Read the diff before committing.

`stateful_ids.json` must change only with a plan for the data behind it.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

from config.settings import environments, load_settings
from tests.conftest import Templates, synthesize

FOLDER = Path(__file__).parent
STATEFUL = (
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::RDS::DBInstance",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
)


def stateful_ids(templates: Templates) -> dict[str, str]:
    """Return type by `<stack>/<logical id>` of what holds data."""
    return {
        f"{stack}/{name}": resource["Type"]
        for stack, template in sorted(templates.items())
        for name, resource in sorted(template["Resources"].items())
        if resource["Type"] in STATEFUL
    }


def shape(templates: Templates) -> dict[str, dict[str, int]]:
    """Return how many resources of each type a stack has: no hash, no generated id."""
    return {
        stack: dict(sorted(Counter(r["Type"] for r in template["Resources"].values()).items()))
        for stack, template in sorted(templates.items())
    }


def main() -> None:
    """Synthesize every environment and write the files."""
    pinned, shapes = {}, {}
    for environment in environments():
        with tempfile.TemporaryDirectory() as folder:
            templates = synthesize(load_settings(environment), Path(folder))
        pinned[environment] = stateful_ids(templates)
        shapes[environment] = shape(templates)
    for name, content in (("stateful_ids", pinned), ("shapes", shapes)):
        (FOLDER / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()

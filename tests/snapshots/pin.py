"""Writes both snapshots anew: `python -m tests.snapshots.pin`. Read the diff before committing.

`stateful_ids.json` must change only with a plan for the data behind it.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

from config.contracts.statefulness import STATEFUL
from config.settings import environments, load_settings
from tests.conftest import Templates, synthesize

FOLDER = Path(__file__).parent


def stateful_ids(templates: Templates) -> dict[str, str]:
    """Return type by `<stack>/<logical id>` of what its template marks as holding data."""
    return {
        f"{stack}/{name}": resource["Type"]
        for stack, template in sorted(templates.items())
        for name, resource in sorted(template["Resources"].items())
        if STATEFUL in resource.get("Metadata", {})
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

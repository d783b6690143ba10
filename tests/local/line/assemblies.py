"""Assemblies made of others, as an edit of the stacks would make them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUEUES = "academy-local-queues"


def changed_assembly(
    source: Path, target: Path, change: Callable[[dict[str, Any]], None], *, stack: str = QUEUES
) -> Path:
    """Copy an assembly and apply `change` to the resources of one stack's template."""
    shutil.copytree(source, target)
    template = target / f"{stack}.template.json"
    content = json.loads(template.read_text())
    change(content["Resources"])
    template.write_text(json.dumps(content))
    _drop_asset_of_template(target, stack)
    return target


def _drop_asset_of_template(assembly: Path, stack: str) -> None:
    """Make the CLI upload the template afresh: its asset is named by the content's hash."""
    text = (assembly / f"{stack}.template.json").read_bytes()
    name = f"changed-{hashlib.sha256(text).hexdigest()}"
    manifest = assembly / f"{stack}.assets.json"
    content = json.loads(manifest.read_text())
    renamed = {}
    for old, entry in content["files"].items():
        if entry["source"]["path"] == f"{stack}.template.json":
            for destination in entry["destinations"].values():
                destination["objectKey"] = f"{name}.json"
            renamed[name] = entry
        else:
            renamed[old] = entry
    manifest.write_text(json.dumps({**content, "files": renamed}))
    root = json.loads((assembly / "manifest.json").read_text())
    properties = root["artifacts"][stack]["properties"]
    url = properties["stackTemplateAssetObjectUrl"]
    properties["stackTemplateAssetObjectUrl"] = f"{url.rpartition('/')[0]}/{name}.json"
    (assembly / "manifest.json").write_text(json.dumps(root))


def video_queue(resources: dict[str, Any]) -> dict[str, Any]:
    """Return the video queue's resource."""
    return next(
        resource
        for resource in resources.values()
        if resource.get("Properties", {}).get("QueueName") == "academy-video-jobs"
    )

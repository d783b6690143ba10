"""Are the images that the templates name in the registry?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from config.contracts.names import IMAGES
from ops import places
from ops.findings import Finding
from ops.releases.images import digests, images
from ops.verify.context import Context


def ask(context: Context) -> list[Finding]:
    """Ask the registry for the digest of each image."""
    names = images(context.assembly.templates().values())
    return decide(names, digests(names, context.region), unbuilt())


def unbuilt() -> set[str]:
    """Return the repositories of the kinds that this checkout has no image for yet."""
    recipes = places.ROOT / "worker_images"
    return {name for kind, name in IMAGES.items() if not (recipes / kind / "Dockerfile").is_file()}


def decide(
    names: Sequence[str], known: Mapping[str, str], unbuilt: Collection[str]
) -> list[Finding]:
    """Return a finding for each image: its digest, that nobody builds it yet, or that it lacks."""
    return [_decide(name, known.get(name), name.partition(":")[0] in unbuilt) for name in names]


def _decide(name: str, digest: str | None, is_unbuilt: bool) -> Finding:
    if digest:
        return Finding(f"image {name} is {digest}")
    if is_unbuilt:
        return Finding(f"image {name}: nobody builds it yet, its fleet cannot work")
    return Finding(
        f"image {name}",
        "the registry has no such tag",
        "push it (README, step 3): nothing that starts from now on can pull it",
    )

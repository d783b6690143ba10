"""`up`: from a running embedded AWS to a lecture that plays."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from ops import deploying, lecture, lecture_view, places
from ops.delivery.deploy import deploy
from ops.environments import LOCAL, reachable
from ops.errors import OperatorError
from ops.view import say_title, step


def up(image_tag: str, video: Path | None, console: Console, *, tenant_id: int) -> lecture.Lecture:
    """Synthesize, bootstrap, deploy as a release, do the main job, print the timeline.

    Raises: OperatorError, and then everything that runs stays for a look.
    """
    settings = reachable(LOCAL)
    if video:
        lecture.require_file(video)
    assembly = places.assembly(LOCAL)
    with step(console, "synthesize the local environment") as say:
        fresh = deploying.synthesize(LOCAL, image_tag, assembly)
        say("templates written" if fresh else "same inputs as before")
    with step(console, "bootstrap") as say:
        done = deploying.bootstrap(str(settings.aws.account_id), settings.aws.region, assembly)
        say("bootstrapped" if done else "was done before")
    outcome = deploy(settings, assembly, console)
    if not outcome.release.verified:
        raise OperatorError("what was deployed is not as it should be, see above")
    video = video or lecture.default_clip(console)
    say_title(console, f"encode {video.name}")
    ended = lecture.run(settings, video, console, tenant_id=tenant_id)
    show_end(ended, console)
    return ended


def show_end(ended: lecture.Lecture, console: Console) -> None:
    """Print the timeline and where to watch. Raises: OperatorError when the job failed."""
    console.print(lecture_view.timeline(ended.moments))
    if not ended.is_ready:
        code = ended.progress.get("error_code", "")
        raise OperatorError(f"the video FAILED: {code} {ended.progress.get('error_message', '')}")
    if ended.moments.at_rest is None:
        console.print("[yellow]the fleet is not back at its minimum yet: see `make status`[/]")
    console.print("[green bold]READY[/]  watch it at")
    console.print(str(ended.progress.get("watch_url", "")), soft_wrap=True, highlight=False)

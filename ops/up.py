"""`up`: from a running embedded AWS to a lecture that plays."""

from __future__ import annotations

import os
import time
from pathlib import Path

from rich.console import Console

from config.settings import Settings, load_settings
from ops import deploying, lecture, lecture_view, places
from ops.api import Api, ApiUnreachableError
from ops.errors import OperatorError
from ops.operator_access import load_access
from ops.view import say_title, step

ENVIRONMENT = "local"
HEALTHY_WITHIN_S = 240.0
_POLL_S = 0.5


def up(image_tag: str, video: Path | None, console: Console, *, tenant_id: int) -> lecture.Lecture:
    """Synthesize, bootstrap, deploy, wait for the API, do the main job, print the timeline.

    Raises: OperatorError, and then everything that runs stays for a look.
    """
    if "AWS_ENDPOINT_URL" not in os.environ:
        raise OperatorError("AWS_ENDPOINT_URL is not set", hint="`make up` starts the embedded AWS")
    if video:
        lecture.require_file(video)
    settings = load_settings(ENVIRONMENT)
    assembly = places.assembly(ENVIRONMENT)
    with step(console, "synthesize the local environment") as say:
        fresh = deploying.synthesize(ENVIRONMENT, image_tag, assembly)
        say("templates written" if fresh else "same inputs as before")
    with step(console, "bootstrap") as say:
        done = deploying.bootstrap(str(settings.aws.account_id), settings.aws.region, assembly)
        say("bootstrapped" if done else "was done before")
    with step(console, "deploy all stacks") as say:
        stacks = deploying.deploy(ENVIRONMENT, assembly, console)
        changed = [stack for stack in stacks if stack.state == "done"]
        say(f"{len(changed)} of {len(stacks)} stacks changed")
    with step(console, "wait for the API") as say:
        say(wait_until_healthy(settings))
    video = video or lecture.default_clip(console)
    say_title(console, f"encode {video.name}")
    ended = lecture.run(settings, video, console, tenant_id=tenant_id)
    show_end(ended, console)
    return ended


def wait_until_healthy(settings: Settings) -> str:
    """Wait until every dependency of the API answers; return what was checked.

    Raises: OperatorError naming what does not answer.
    """
    api = Api(load_access(settings), tenant_id=1)
    give_up = time.monotonic() + HEALTHY_WITHIN_S
    while True:
        try:
            status, fields = api.health()
            said = ", ".join(f"{name} {value}" for name, value in fields.items())
            if status == 200:
                return said
        except ApiUnreachableError as error:
            said = str(error)
        if time.monotonic() > give_up:
            raise OperatorError(f"the API is not healthy after {HEALTHY_WITHIN_S:.0f} s: {said}")
        time.sleep(_POLL_S)


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

"""`relay_outbox`: the process beside the API that delivers what a down queue refused.

In threads of its own it queues the texts whose time has come, sweeps up stuck jobs, deletes
rosters that no worker will, and on R2 the originals of finished videos.
"""

from __future__ import annotations

import os
import signal
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from worker_images.api import fleets, outbox, ports, sweeper
from worker_images.api.housekeeping import keep_house
from worker_images.api.originals import expire_next, expire_until
from worker_images.api.relay import Relay
from worker_images.api.rosters import Rosters
from worker_images.api.texts_schedule import queue_until
from worker_images.base.logging import logger

_log = logger("relay")
_SIGNALS = {signal.SIGTERM, signal.SIGINT}
#: A lost worker's message is back in its queue by itself at about the end of the lease; the sweeper
#: comes after that.
SWEEP_GRACE_S = 120.0

Work = Callable[[Event], None]


class Command(BaseCommand):
    help = "Send pending outbox messages until SIGTERM or SIGINT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="send what is pending, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        deliver = partial(outbox.deliver_next, ports.sender().send)
        if options["once"]:
            self._drain(deliver)
            return
        # No handler runs in the midst of anything: the signals wait until sigwait takes them.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        works = {"relay": Relay(deliver).run, **_works_beside()}
        stop, broken = Event(), list[str]()
        threads = {name: _start(name, work, stop, broken) for name, work in works.items()}
        _log.info("relay started")
        signal.sigwait(_SIGNALS)
        stop.set()
        threads["relay"].join()
        _log.info("relay stopped")
        if broken:
            raise CommandError(f"ended by itself: {', '.join(broken)}")

    def _drain(self, deliver: partial[bool]) -> None:
        sent = 0
        try:
            while deliver():
                sent += 1
        except outbox.QueueUnavailable as error:
            raise CommandError(f"{sent} sent, then the queue refused: {error}") from error
        self.stdout.write(f"{sent} sent")


def _works_beside() -> dict[str, Work]:
    """Return what runs beside the relay, each until its event is set."""
    works: dict[str, Work] = {
        "scheduled texts": queue_until,
        "housekeeping": lambda stop: keep_house(stop, _tasks),
        "rosters": Rosters(ports.excel_storage()).look_until,
    }
    days = settings.API.original_days
    if days is not None:
        # No rule of this store can delete them.
        expire = partial(expire_next, ports.storage().delete, days)
        works["originals"] = lambda stop: expire_until(stop, expire)
    return works


def _tasks() -> None:
    sweeper.sweep(SWEEP_GRACE_S, settings.API.attempts, ports.sender().depth)
    outbox.forget_sent()
    fleets.forget_workers()


def _start(name: str, work: Work, stop: Event, broken: list[str]) -> Thread:
    """Start one work; the process ends, to be started again, when it does by itself."""

    def run() -> None:
        try:
            work(stop)
        except Exception:
            _log.error("a work of the relay broke", work=name, exc_info=True)
        if not stop.is_set():
            broken.append(name)
            os.kill(os.getpid(), signal.SIGTERM)

    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread

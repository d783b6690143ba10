"""`relay_outbox`: the process beside the API that delivers what a down queue refused.

It queues the texts whose time has come, and on R2 it deletes the originals of finished videos.
"""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from functools import partial
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from worker_images.api import ports
from worker_images.api.originals import expire_next, expire_until
from worker_images.api.outbox import QueueUnavailable, deliver_next
from worker_images.api.relay import Relay
from worker_images.api.texts_schedule import queue_until
from worker_images.base.logging import logger

_log = logger("relay")


class Command(BaseCommand):
    help = "Send pending outbox messages until SIGTERM or SIGINT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="send what is pending, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        deliver = partial(deliver_next, ports.sender().send)
        if options["once"]:
            self._drain(deliver)
            return
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        _log.info("relay started")
        self._expire_originals(stop)
        Thread(target=queue_until, args=(stop,), name="scheduled texts", daemon=True).start()
        Relay(deliver).run(stop)
        _log.info("relay stopped")

    @staticmethod
    def _expire_originals(stop: Event) -> None:
        """Look for originals to delete, where no rule of the store does, in a thread beside."""
        days = settings.API.original_days
        if days is not None:
            expire = partial(expire_next, ports.storage().delete, days)
            Thread(target=expire_until, args=(stop, expire), name="originals", daemon=True).start()

    def _drain(self, deliver: partial[bool]) -> None:
        sent = 0
        try:
            while deliver():
                sent += 1
        except QueueUnavailable as error:
            raise CommandError(f"{sent} sent, then the queue refused: {error}") from error
        self.stdout.write(f"{sent} sent")

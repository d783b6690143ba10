"""The start and the end of a worker process, the same for every kind.

def compose(parts: Parts, environ: Mapping[str, str]) -> Consumer: ...

if __name__ == "__main__":
    sys.exit(run_worker("video", compose))
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping

from worker_images.base.consumer import Consumer
from worker_images.base.errors import ConfigurationError
from worker_images.base.logging import configure, logger
from worker_images.base.parts import Parts
from worker_images.base.settings import load_worker_settings

#: The exit status of a process that ends because a handler is stuck (EX_TEMPFAIL).
STUCK_STATUS = 75

#: Puts a worker together; the environment is for what one kind is told besides. Raises:
#: ConfigurationError.
Compose = Callable[[Parts, Mapping[str, str]], Consumer]


def run_worker(name: str, compose: Compose) -> int:
    """Run a worker; return 0 when it was drained or ended its own instance.

    A stuck handler's process ends with STUCK_STATUS, whatever its threads still do.
    """
    try:
        settings = load_worker_settings(os.environ)
        configure(secrets=settings.secrets)
        consumer = compose(Parts(settings), os.environ)
    except ConfigurationError as error:
        sys.stderr.write(f"{name} worker does not start: {error}\n")
        return 1
    _drain_when_told(consumer)
    if not consumer.run():
        logger("main").error("worker ends: a handler is stuck")
        sys.stdout.flush()
        os._exit(STUCK_STATUS)
    logger("main").info("worker ends")
    return 0


def _drain_when_told(consumer: Consumer) -> None:
    """Drain on a signal, and when the instance is going to be taken away."""

    def on_signal(number: int, frame: object) -> None:
        reason = f"the worker was told to stop ({signal.Signals(number).name})"
        threading.Thread(target=consumer.drain, args=(reason,), name="drain").start()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)

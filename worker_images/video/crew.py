"""Parts encoded beside each other, while this thread records, reports and listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import HandedBack, WorkerError
from worker_images.video.facts import PartFacts

_LOOK_S = 0.2

#: Encodes the part of a number until it is done or the cancellation says to stop.
Encode = Callable[[int, Cancellation], PartFacts]


def encode_all(
    parts: Iterable[int],
    encode: Encode,
    *,
    at_once: int,
    cancellation: Cancellation,
    on_done: Callable[[int, PartFacts], None],
    on_look: Callable[[], None],
) -> None:
    """Encode parts, `at_once` of them beside each other, in their order.

    `on_done` is told of each part once, `on_look` called five times a second, both in this
    thread. Raises: the first thing that goes wrong, in any thread, once all work has stopped.
    """
    stop = Cancellation()
    with ThreadPoolExecutor(at_once, thread_name_prefix="part") as pool:
        running = {pool.submit(encode, part, stop): part for part in parts}
        try:
            while running:
                done, _ = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                cancellation.check()
                for future in done:
                    on_done(running.pop(future), future.result())
                on_look()
        except BaseException as error:
            stop.cancel(
                error if isinstance(error, WorkerError) else HandedBack("STOPPED", repr(error))
            )
            pool.shutdown(wait=True, cancel_futures=True)
            raise

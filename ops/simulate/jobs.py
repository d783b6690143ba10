"""The queue as SQS keeps it, and the workers' slots that jobs run in."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from random import Random

from simpy import Environment

from ops.simulate.fleet import Fleet
from ops.simulate.instance import Instance, Job, State
from ops.simulate.result import Result
from ops.simulate.timers import after

#: The mean duration is that of so many jobs, unknown with fewer than the least: as the API's.
MEAN_OF, MEAN_OF_LEAST = 50, 5


class Jobs:
    """Jobs that wait, run, or are hidden until their visibility runs out.

    A job takes two events, its arrival and its end, so that a day may hold a million. A long poll
    that finds an idle slot is answered at once: SQS hands a message to any of the pollers, so that
    the instance is drawn. `became_idle` is told of each instance whose last job ended.
    """

    def __init__(self, env: Environment, fleet: Fleet, random: Random, result: Result) -> None:
        self._env, self._fleet, self._random, self._result = env, fleet, random, result
        self.became_idle: Callable[[Instance], None] = lambda instance: None
        self.waiting: deque[Job] = deque()
        self.running = 0
        self.hidden = 0
        self._open: list[Instance] = []
        self._latest: deque[float] = deque()
        self._latest_s = 0.0

    @property
    def in_flight(self) -> int:
        """Return the messages that were received and not deleted, whoever holds them."""
        return self.running + self.hidden

    @property
    def left(self) -> int:
        """Return the jobs that are neither done nor dead."""
        return len(self.waiting) + self.in_flight

    @property
    def mean_s(self) -> float | None:
        """Return how long the latest jobs took in the mean; None while they are too few."""
        count = len(self._latest)
        return self._latest_s / count if count >= MEAN_OF_LEAST else None

    @property
    def oldest_s(self) -> float | None:
        """Return how long the first in the queue waits, since it came or came back."""
        return self._env.now - self.waiting[0].waits_since_s if self.waiting else None

    def arrive(self, duration_s: float) -> None:
        """Take a new job."""
        self._result.arrived += 1
        self._wait(Job(self._env.now, duration_s))

    def serve(self, instance: Instance) -> None:
        """Let an instance poll: it takes what waits, as far as its slots go."""
        while instance.free and self.waiting:
            self._start(instance, self.waiting.popleft())
        if instance.free and instance.place < 0 and instance.state is State.SERVING:
            instance.place = len(self._open)
            self._open.append(instance)

    def stop(self, instance: Instance, *, hands_back: bool) -> None:
        """Interrupt an instance that ends: its jobs lose what no checkpoint holds, and wait again.

        Handed back, a job waits at once, and its worker gives it a fresh message before it could
        run out of receives. Else it stays hidden until its visibility runs out, which the worker
        extended each third of it.
        """
        self._close(instance)
        for job, started_s in instance.running.items():
            self.running -= 1
            self._lose(job, self._env.now - started_s)
            if hands_back:
                job.receives = 0
                self._wait(job)
            else:
                self._hide(job)
        instance.running = {}

    def _wait(self, job: Job) -> None:
        if self._open:
            self._start(self._open[int(self._random.random() * len(self._open))], job)
        else:
            job.waits_since_s = self._env.now
            self.waiting.append(job)

    def _hide(self, job: Job) -> None:
        self.hidden += 1
        rest_s = self._fleet.visibility_s * self._random.uniform(2 / 3, 1)
        after(self._env, rest_s, lambda: self._show(job))

    def _show(self, job: Job) -> None:
        self.hidden -= 1
        self._wait(job)

    def _start(self, instance: Instance, job: Job) -> None:
        job.receives += 1
        if job.receives > self._fleet.max_receives:
            self._result.dead += 1
            return
        if not job.started:
            job.started = True
            self._result.arrivals_s.append(job.arrived_s)
            self._result.waits_s.append(self._env.now - job.arrived_s)
        instance.running[job] = self._env.now
        instance.free -= 1
        self.running += 1
        if not instance.free:
            self._close(instance)
        after(self._env, job.left_s, lambda: self._end(instance, job))

    def _end(self, instance: Instance, job: Job) -> None:
        started_s = instance.running.pop(job, None)
        if started_s is None:
            return  # It was interrupted.
        self.running -= 1
        self._result.done += 1
        self._note(self._env.now - started_s)
        instance.free += 1
        self.serve(instance)
        if not instance.running:
            instance.idle_since_s = self._env.now
            self.became_idle(instance)

    def _lose(self, job: Job, ran_s: float) -> None:
        step_s = self._fleet.checkpoint_s
        kept_s = ran_s // step_s * step_s if step_s else 0.0
        job.left_s -= kept_s
        self._result.rework_s += ran_s - kept_s

    def _note(self, took_s: float) -> None:
        self._latest.append(took_s)
        self._latest_s += took_s
        if len(self._latest) > MEAN_OF:
            self._latest_s -= self._latest.popleft()

    def _close(self, instance: Instance) -> None:
        """Take an instance off the open ones; the last takes its place."""
        if instance.place < 0:
            return
        last = self._open.pop()
        if last is not instance:
            self._open[instance.place] = last
            last.place = instance.place
        instance.place = -1

    def unstarted(self) -> array[float]:
        """Return when the jobs arrived that wait and never started."""
        return array("d", (job.arrived_s for job in self.waiting if not job.started))
